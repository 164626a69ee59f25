import { beforeEach, describe, expect, it } from 'vitest'
import { entityTag } from '../../../src/model/digest.ts'
import type { RequestContext } from '../../../src/model/request.ts'
import { putService } from '../../../src/services/put-service.ts'
import { AT, aCaller, aCluster, aService, aTeam, by, eventsIn, spec, workIn } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { aRollout, aTarget } from '../rollouts/fixture.ts'

let store: MemoryStore
let metrics: FakeMetrics
beforeEach(() => {
  store = new MemoryStore()
  metrics = new FakeMetrics()
  for (const name of ['east', 'west', 'north']) store.put(aCluster(name))
  store.put(aTeam())
})

const clock = { now: () => Date.parse(AT), sleep: async () => undefined }
const put = (change: Readonly<Record<string, unknown>> = {}, context: RequestContext = by()) =>
  putService({ store, clock, metrics }, 'shop', 'web', spec(change), context)
const service = () => store.get('service', 'shop/web')

describe('a service that is registered', () => {
  it('is one document with its event and the work for every cluster, which its fence is newer than', async () => {
    expect(await put()).toMatchObject({ ok: true, value: { status: 'created', warnings: [] } })
    expect(store.writes).toBe(1)
    expect(service()).toMatchObject({
      generation: 1,
      renderRevision: Date.parse(AT) / 1000,
      targets: { east: { stable: 'v1' }, west: { stable: 'v1' } },
      leaving: [],
      rollouts: [],
      createdAt: AT,
    })
    expect(eventsIn(service().outbox)).toEqual(['service.registered'])
    expect(workIn(service().outbox)).toEqual(['work reconcile east', 'work reconcile west'])
  })

  it('may be on no cluster yet', async () => {
    expect(await put({ clusters: [] })).toMatchObject({ ok: true })
    expect(service()).toMatchObject({ targets: {} })
  })

  it('may choose its clusters by label; those that are being deleted do not count', async () => {
    for (const name of ['east', 'west']) {
      store.change('cluster', name, (cluster) => ({ ...cluster, spec: { ...cluster.spec, labels: { env: 'prod' } } }))
    }
    store.change('cluster', 'west', (cluster) => ({ ...cluster, deletingAt: AT }))
    await put({ clusters: { matchLabels: { env: 'prod' } } })
    expect(Object.keys(service().targets)).toEqual(['east'])
  })
})

describe('a service that changes', () => {
  beforeEach(() => {
    store.put(aService({ targets: { east: { stable: 'v2' }, west: { stable: 'v1' } } }))
  })

  it('keeps what is stable, starts new clusters with the initial version, and leaves the others', async () => {
    expect(await put({ clusters: ['east', 'north'] })).toMatchObject({ ok: true, value: { status: 'updated' } })
    expect(service()).toMatchObject({
      generation: 2,
      renderRevision: 101,
      targets: { east: { stable: 'v2' }, north: { stable: 'v1' } },
      leaving: ['west'],
    })
    expect(workIn(service().outbox)).toEqual(['work reconcile east', 'work reconcile north', 'work reconcile west'])
  })

  it('is no longer left by a cluster that comes back', async () => {
    await put({ clusters: ['east'] })
    await put({ clusters: ['east', 'west'] })
    expect(service()).toMatchObject({ leaving: [], targets: { west: { stable: 'v1' } } })
  })

  it('writes nothing when it is the same', async () => {
    const [{ spec: same }] = [aService()]
    expect(await putService({ store, clock, metrics }, 'shop', 'web', same, by())).toMatchObject({
      value: { status: 'unchanged' },
    })
    expect(store.writes).toBe(0)
  })

  it('keeps stable when another initial version is named, and says so', async () => {
    expect(await put({ initialVersion: 'v2' })).toMatchObject({
      value: { warnings: [expect.stringContaining('initialVersion is now v2')] },
    })
    expect(service().targets).toMatchObject({ west: { stable: 'v1' } })
  })

  it('keeps what newer code stored beside', async () => {
    store.put({ ...aService(), shape: 'of things to come' } as never)
    await put({ clusters: ['east'] })
    expect(service()).toMatchObject({ shape: 'of things to come' })
  })
})

describe('a service that is refused', () => {
  const refusals: readonly {
    readonly it: string
    readonly given?: () => void
    readonly body?: Readonly<Record<string, unknown>>
    readonly context?: Partial<RequestContext>
    readonly failure: Readonly<Record<string, unknown>>
  }[] = [
    {
      it: 'of an unknown team',
      body: { team: 'nobody' },
      failure: { code: 'UnknownReference', errors: [{ pointer: '/team', reason: 'there is no team nobody' }] },
    },
    {
      it: 'of a team that the caller is not in',
      context: { caller: aCaller({ groups: [] }) },
      failure: { code: 'Forbidden' },
    },
    {
      it: 'in a namespace that the team does not own',
      given: () => store.put(aTeam({ namespaces: ['bank'] })),
      failure: { code: 'Forbidden', detail: expect.stringContaining('does not own namespace shop') },
    },
    {
      it: 'in a namespace that the team does not own, of an administrator too',
      given: () => store.put(aTeam({ namespaces: ['bank'] })),
      context: { caller: aCaller({ roles: ['Mesh.Admin'] }) },
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/team', reason: expect.any(String) }] },
    },
    {
      it: 'that another team has',
      given: () => {
        store.put(aTeam({ groups: ['22222222-2222-4222-8222-222222222222'] }, 'rivals'))
        store.put(aService({ spec: spec({ team: 'rivals' }) }))
      },
      failure: { code: 'Forbidden' },
    },
    {
      it: 'with hosts that the team does not own',
      body: { hosts: ['web.example.com'] },
      failure: {
        code: 'InvalidCombination',
        errors: [{ pointer: '/hosts', reason: 'team shop does not own web.example.com' }],
      },
    },
    {
      it: 'on clusters that there are not',
      body: { clusters: ['east', 'south'] },
      failure: { code: 'UnknownReference', errors: [{ pointer: '/clusters', reason: 'there is no cluster south' }] },
    },
    {
      it: 'on a cluster that is being deleted',
      given: () => store.change('cluster', 'west', (cluster) => ({ ...cluster, deletingAt: AT })),
      failure: {
        code: 'UnknownReference',
        errors: [{ pointer: '/clusters', reason: expect.stringContaining('west') }],
      },
    },
    {
      it: 'on a cluster whose mesh cannot express it',
      given: () => store.change('cluster', 'west', (cluster) => ({ ...cluster, mesh: { provider: 'linkerd' } })),
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/workload', reason: expect.any(String) }] },
    },
    {
      it: 'while it is being deleted',
      given: () => store.put(aService({ deletingAt: AT })),
      failure: { code: 'Deleting' },
    },
    {
      it: 'when it has changed since it was read',
      given: () => store.put(aService()),
      body: { clusters: ['east'] },
      context: { ifMatch: ['"old"'] },
      failure: { code: 'PreconditionFailed', errors: [{ pointer: 'header/if-match', reason: expect.any(String) }] },
    },
    {
      it: 'when it exists and is to be created',
      given: () => store.put(aService()),
      context: { createOnly: true },
      failure: {
        code: 'PreconditionFailed',
        errors: [{ pointer: 'header/if-none-match', reason: expect.any(String) }],
      },
    },
    {
      it: 'when it takes a version away that serves traffic',
      given: () => store.put(aService({ targets: { east: { stable: 'v2' }, west: { stable: 'v1' } } })),
      body: { versions: { v1: { labels: { version: 'v1' } } } },
      failure: { code: 'Conflict', errors: [{ pointer: '/versions/v2', reason: expect.stringContaining('east') }] },
    },
  ]

  it.each(refusals)('$it, and nothing is written', async ({ given, body, context, failure }) => {
    given?.()
    expect(await put(body, by(context))).toMatchObject({ ok: false, failure })
    expect(store.writes).toBe(0)
  })

  it('may take a stable version away from where it goes', async () => {
    store.put(aService({ targets: { east: { stable: 'v2' }, west: { stable: 'v1' } } }))
    expect(await put({ clusters: ['west'], versions: { v1: { labels: { version: 'v1' } } } })).toMatchObject({
      ok: true,
    })
  })

  it('is taken with its tag', async () => {
    store.put(aService())
    const tag = entityTag('shop/web', service().spec)
    expect(await put({ clusters: ['east'] }, by({ ifMatch: ['"x"', tag] }))).toMatchObject({ ok: true })
    expect(await put({ clusters: ['west'] }, by({ ifMatch: [tag] }))).toMatchObject({
      failure: { code: 'PreconditionFailed' },
    })
  })
})

describe('under a live rollout, a change', () => {
  const under = (phase: Parameters<typeof aRollout>[0]) =>
    store.put(aService({ rollouts: [aRollout(phase, { targets: [aTarget('east', 10)] })] }))
  const more = {
    v1: { labels: { version: 'v1' } },
    v2: { labels: { version: 'v2' } },
    v3: { labels: { version: 'v3' } },
  }

  it.each([
    ['of its cluster', { clusters: ['west'] }, '/clusters'],
    ['of its candidate’s labels', { versions: { ...more, v2: { labels: { version: 'x' } } } }, '/versions/v2'],
    ['that removes its candidate', { versions: { v1: more.v1 } }, '/versions/v2'],
    ['of its stable’s labels', { versions: { ...more, v1: { labels: { version: 'x' } } } }, '/versions/v1'],
    ['of a port', { ports: [{ name: 'http', port: 81, protocol: 'http' }] }, '/ports'],
    ['that stops all writes', { mode: 'observe' }, '/mode'],
    ['that fixes weights', { traffic: { weights: { v1: 100 } } }, '/traffic/weights'],
  ])('%s is refused, and names what it would take away', async (_, change, pointer) => {
    under('progressing')
    expect(await put(change)).toMatchObject({
      ok: false,
      failure: { code: 'RolloutInFlight', errors: [{ pointer, reason: expect.stringContaining('shop.web.k3') }] },
    })
    expect(store.writes).toBe(0)
  })

  it.each([
    ['of another cluster', { clusters: ['east', 'north'] }],
    ['that adds a version', { versions: more }],
    [
      'that adds a port',
      {
        ports: [
          { name: 'http', port: 80, protocol: 'http' },
          { name: 'b', port: 81, protocol: 'grpc' },
        ],
      },
    ],
    ['of a timeout', { traffic: { timeout: '3s' } }],
  ])('%s is taken', async (_, change) => {
    under('progressing')
    expect(await put(change)).toMatchObject({ ok: true })
    expect(service().rollouts).toHaveLength(1)
  })

  it('of its cluster is taken on the way back: a cluster that is gone would hold it for ever', async () => {
    under('rolling-back')
    expect(await put({ clusters: ['west'] })).toMatchObject({ ok: true })
    expect(service()).toMatchObject({ leaving: ['east'] })
  })
})

describe('a PUT with a key', () => {
  const key = (body = 'body') => by({ idempotency: { id: 'k', body } })

  it('answers as the first time, and has one effect', async () => {
    await put({ clusters: ['east'] }, key())
    await put({ clusters: ['west'] })
    expect(await put({ clusters: ['east'] }, key())).toMatchObject({ ok: true, value: { status: 'created' } })
    expect(Object.keys(service().targets)).toEqual(['west'])
    expect(store.writes).toBe(2)
  })

  it('has none when it comes again, though it changed nothing the first time', async () => {
    await put({ clusters: ['east'] })
    expect(await put({ clusters: ['east'] }, key())).toMatchObject({ value: { status: 'unchanged' } })
    await put({ clusters: ['west'] })
    expect(await put({ clusters: ['east'] }, key())).toMatchObject({ ok: true })
    expect(Object.keys(service().targets)).toEqual(['west'])
    expect(service().generation).toBe(2)
  })

  it('is refused with another body', async () => {
    await put({ clusters: ['east'] }, key())
    expect(await put({ clusters: ['west'] }, key('other'))).toMatchObject({ failure: { code: 'IdempotencyMismatch' } })
  })
})
