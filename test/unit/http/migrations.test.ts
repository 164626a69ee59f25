import { beforeEach, describe, expect, test } from 'vitest'
import { READ_KINDS, type ReadKind } from '../../../src/mesh/osm/migration/kinds.ts'
import { type ClusterDocument, keyOf } from '../../../src/model/documents.ts'
import { MIGRATED_FROM } from '../../../src/model/migration.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { demo, REPLACEMENTS } from '../mesh/osm/migration/demo.ts'
import {
  type Call,
  clusterDocument,
  createWorld,
  SHOP_GROUP,
  START,
  serviceDocument,
  teamDocument,
  type World,
} from './fixture.ts'

const PATH = '/api/v1/clusters/east/migrations/osm'
const NAMESPACES = ['bookbuyer', 'bookthief', 'bookstore', 'bookwarehouse']
/** With the demo's two matches that rules have no words for; bookbuyer and bookthief have no Service. */
const ALONE = ['PodsWithoutService', 'EgressOpen']
const BODY = { target: 'west', replace: REPLACEMENTS, accept: ALONE }

let world: World
let clusters: FakeClusters

const OSM: Partial<ClusterDocument> = { mesh: { provider: 'osm', permissive: false } }
const ISTIO: Partial<ClusterDocument> = { mesh: { provider: 'istio', revision: 'asm-1-30', version: '1.30.2' } }

beforeEach(async () => {
  world = createWorld()
  clusters = new FakeClusters()
  Object.assign(world.deps, { clusters })
  hold(demo())
  world.store.put(clusterDocument('east', OSM))
  world.store.put(clusterDocument('west', ISTIO))
  world.store.put(teamDocument('books', { namespaces: NAMESPACES, groups: [SHOP_GROUP] }))
})

function hold(objects: ReturnType<typeof demo>): void {
  for (const kind of Object.keys(READ_KINDS) as ReadKind[]) clusters.objects.set(READ_KINDS[kind].kind, objects[kind])
}

const post = (body: object, call: Call = {}) => world.call('POST', PATH, { ...call, body })
const planned = async (body: object) => (await post(body)).json
const apply = async (body: object, call: Call = {}) => {
  const { digest } = await planned(body)
  return post({ ...body, apply: true, digest }, call)
}
const stored = async () => (await world.store.all('service')).map(({ namespace, name }) => `${namespace}/${name}`)

describe('a plan', () => {
  test('says all, and changes nothing', async () => {
    const { status, json } = await post(BODY)
    expect(status).toBe(200)
    expect(json).toMatchObject({ cluster: 'east', stage: 'target', target: 'west', permissive: false, ready: true })
    expect(json.services.map((one: { name: string; result: string }) => [one.name, one.result])).toEqual([
      ['bookstore', 'create'],
      ['bookwarehouse', 'create'],
    ])
    expect(json.services[0].spec).toMatchObject({ team: 'books', clusters: ['west'] })
    expect(json.services[0].plan.changes).toHaveLength(1)
    expect(world.seen.planned).toEqual(['bookstore/bookstore west', 'bookwarehouse/bookwarehouse west'])
    expect(json.callers[0]).toEqual({ from: 'bookbuyer/bookbuyer', to: 'bookstore/bookstore', after: 'less' })
    expect(json.baseline.map((one: { kind: string }) => one.kind)).toContain('AuthorizationPolicy')
    expect(json.steps.join('\n')).toContain('istio.io/rev=asm-1-30')
    expect(json.applied).toBeUndefined()
    expect(await stored()).toEqual([])
  })

  test('is the same while nothing changes, and another when something does', async () => {
    const { digest } = await planned(BODY)
    expect((await planned(BODY)).digest).toBe(digest)
    expect((await planned({ target: 'west' })).digest).not.toBe(digest)
    hold(demo({ permissive: true }))
    expect((await planned(BODY)).digest).not.toBe(digest)
  })

  test('keeps its digest while Pods come and go', async () => {
    const job = (name: string) => ({
      ...READ_KINDS.pods,
      metadata: { namespace: 'bookthief', name, labels: { app: 'job', 'osm-proxy-uuid': 'x' } },
      spec: {},
    })
    clusters.objects.set('Pod', [job('job-1')])
    const { digest, findings } = await planned(BODY)
    expect(findings[0].message).toContain('Pod bookthief/job-1')
    clusters.objects.set('Pod', [job('job-2')])
    expect((await planned(BODY)).digest).toBe(digest)
  })

  test('tells kinds that may not be read', async () => {
    clusters.failures.set('list TrafficTarget', new PortError('denied', 'Kubernetes', 'forbidden'))
    const { findings, ready } = await planned(BODY)
    expect(findings[0]).toMatchObject({ code: 'NotSeen', severity: 'error' })
    expect(ready).toBe(false)
  })

  test('lets everybody in where the permissive mode is on', async () => {
    hold(demo({ permissive: true }))
    const { permissive, callers, baseline, services } = await planned({ target: 'west' })
    expect([permissive, callers]).toEqual([true, []])
    expect(new Set(baseline.map((one: { kind: string }) => one.kind))).toEqual(new Set(['PeerAuthentication']))
    expect(services[0].spec.security.authorization.allow).toEqual([{ name: 'mesh', ports: ['bookstore-port'] }])
  })

  test('is not ready while Pods would be left that nothing guards', async () => {
    const { ready, findings } = await planned({ target: 'west', replace: REPLACEMENTS })
    const errors = findings.filter(({ severity }: { severity: string }) => severity === 'error')
    expect([ready, errors.map(({ code }: { code: string }) => code)]).toEqual([false, ALONE])
  })

  test('is not ready while requests without mutual TLS are seen, as a PUT would not be', async () => {
    const metrics = new FakeMetrics()
    Object.assign(world.deps, { metrics })
    const labels = {
      reporter: 'destination',
      destination_service_namespace: 'bookstore',
      destination_service_name: 'bookstore',
      connection_security_policy: 'none',
      source_workload: 'batch',
      source_workload_namespace: 'legacy',
    }
    metrics.put('west', 'istio_requests_total', labels, [
      [START - 3_590_000, 0],
      [START - 60_000, 7],
    ])
    const { ready, findings } = await planned(BODY)
    const told = findings.filter(({ code }: { code: string }) => code.startsWith('PlainCallers'))
    expect([ready, told.length, told[0].code, told[0].object]).toEqual([
      false,
      1,
      'PlainCallers',
      'service bookstore/bookstore',
    ])
    expect(told[0].message).toContain('legacy/batch')
    expect((await apply(BODY)).status).toBe(422)
    const waiving = { ...BODY, accept: [...ALONE, 'PlainCallers'] }
    expect((await apply(waiving)).json.applied.failed).toBe(0)
    expect(world.store.get('service', 'bookstore/bookstore').spec.waive).toEqual(['PlainCallers'])
  })

  test('tells once that it is not known who calls without mutual TLS', async () => {
    const { findings } = await planned(BODY)
    const told = findings.filter(({ code }: { code: string }) => code === 'PlainCallersUnknown')
    expect([told.length, told[0].severity]).toEqual([1, 'warning'])
    expect(told[0].message).toContain('nor of 1 other placements')
  })

  test('names what is in the way of each service', async () => {
    world.store.put(teamDocument('also', { namespaces: ['bookstore'] }))
    const { findings, services } = await planned(BODY)
    expect(findings.map(({ code }: { code: string }) => code)).toContain('TeamMissing')
    expect(services[0].result).toBe('left')
    expect((await planned({ ...BODY, team: 'also' })).services[0].result).toBe('create')
  })
})

describe('an apply', () => {
  test('registers what was looked at, and once more changes nothing', async () => {
    const { status, json } = await apply(BODY)
    expect(status).toBe(200)
    expect(json.applied).toEqual({
      value: ['bookstore/bookstore', 'bookwarehouse/bookwarehouse'].map((name) => ({
        kind: 'service',
        name,
        result: 'created',
      })),
      failed: 0,
    })
    const [service] = await world.store.all('service')
    expect(service?.spec).toEqual(json.services[0].spec)
    expect(Object.keys(service?.targets ?? {})).toEqual(['west'])
    const again = await apply(BODY)
    expect(again.json.applied.value.map(({ result }: { result: string }) => result)).toEqual(['unchanged', 'unchanged'])
  })

  test('with an Idempotency-Key is done once, and never with another body', async () => {
    const headers = { 'idempotency-key': 'k1' }
    const first = await apply(BODY, { headers })
    const again = await apply(BODY, { headers })
    expect([first.status, again.status]).toEqual([200, 200])
    expect((await world.store.all('service')).map(({ generation }) => generation)).toEqual([1, 1])
    const other = await apply({ ...BODY, team: 'books' }, { headers })
    expect(other.json.applied.value.map((item: { failure?: { code: string } }) => item.failure?.code)).toEqual([
      'IdempotencyMismatch',
      'IdempotencyMismatch',
    ])
  })

  test('of another digest is refused', async () => {
    const { status, json } = await post({ ...BODY, apply: true, digest: 'old' })
    expect([status, json.code, json.errors[0].pointer]).toEqual([409, 'Conflict', '/digest'])
    expect(await stored()).toEqual([])
  })

  test('is held up by errors until they are accepted by name', async () => {
    const refused = await apply({ target: 'west', accept: ALONE })
    expect([refused.status, refused.json.code]).toEqual([422, 'InvalidCombination'])
    expect(refused.json.errors.map(({ reason }: { reason: string }) => reason.split(':')[0])).toEqual([
      'PathNotSayable',
      'HeadersNotSayable',
    ])
    expect(await stored()).toEqual([])
    const accepted = await apply({ target: 'west', accept: [...ALONE, 'PathNotSayable', 'HeadersNotSayable'] })
    expect(accepted.json.applied.failed).toBe(0)
    expect((await world.store.all('service'))[0]?.spec.security?.authorization?.allow).toEqual([])
  })

  test('leaves what is registered, unless it is named', async () => {
    await apply(BODY)
    const theirs = (await world.store.read('service', 'bookstore/bookstore'))?.value
    if (!theirs) throw new Error('it was not registered')
    world.store.put({ ...theirs, spec: { ...theirs.spec, traffic: { timeout: '5s' } } })
    const held = await planned(BODY)
    expect(held.services[0].result).toBe('left')
    expect(held.findings.at(-1)).toMatchObject({ code: 'AlreadyRegistered', severity: 'error' })
    expect((await apply(BODY)).status).toBe(422)
    const { json } = await apply({ ...BODY, overwrite: ['bookstore/bookstore'] })
    expect(json.applied.value[0]).toMatchObject({ name: 'bookstore/bookstore', result: 'updated' })
  })

  test('replaces nothing that was registered after it had looked', async () => {
    const theirs = serviceDocument({ namespace: 'bookwarehouse', name: 'bookwarehouse' })
    world.store.beforeWrite = () => void world.store.put(theirs)
    const { applied } = (await apply(BODY)).json
    expect(applied.value.map(({ result }: { result: string }) => result)).toEqual(['created', 'failed'])
    expect(applied.value[1].failure.code).toBe('Conflict')
    expect(world.store.get('service', 'bookwarehouse/bookwarehouse').spec).toEqual(theirs.spec)
  })

  test('replaces nothing that was changed after it had looked, even where it may replace', async () => {
    await apply(BODY)
    const key = 'bookwarehouse/bookwarehouse'
    for (const name of ['bookstore/bookstore', key])
      world.store.change('service', name, (one) => ({ ...one, spec: { ...one.spec, traffic: { timeout: '5s' } } }))
    world.store.beforeWrite = (_, document) => {
      if (keyOf(document) !== 'bookstore/bookstore') return
      world.store.change('service', key, (one) => ({ ...one, spec: { ...one.spec, traffic: { timeout: '6s' } } }))
    }
    const { applied } = (await apply({ ...BODY, overwrite: ['bookstore/bookstore', key] })).json
    expect(applied.value.map(({ result }: { result: string }) => result)).toEqual(['updated', 'failed'])
    expect(applied.value[1].failure.code).toBe('Conflict')
    expect(world.store.get('service', key).spec.traffic).toEqual({ timeout: '6s' })
  })

  test('needs the roles of an operator and of a deployer', async () => {
    expect((await post(BODY, { roles: ['Mesh.Deployer'] })).status).toBe(403)
    expect((await post(BODY, { roles: ['Mesh.Viewer'] })).status).toBe(403)
    const claims = { groups: [SHOP_GROUP] }
    const { digest } = (await post(BODY, { roles: ['Mesh.Operator'], claims })).json
    const body = { ...BODY, apply: true, digest }
    expect((await post(body, { roles: ['Mesh.Operator'], claims })).status).toBe(403)
    expect((await post(body, { roles: ['Mesh.Operator', 'Mesh.Deployer'], claims })).status).toBe(200)
  })

  test('reaches no namespace of a team that the caller is not in', async () => {
    const { json } = await post(BODY, { roles: ['Mesh.Operator', 'Mesh.Deployer'] })
    expect(json.services.map(({ result }: { result: string }) => result)).toEqual(['left', 'left'])
    expect(json.findings.at(-1)).toMatchObject({ code: 'Refused' })
  })
})

describe('what is no migration', () => {
  test.each<[string, object, number, string]>([
    ['a target that is not there', { target: 'north' }, 422, '/target'],
    ['a target without Istio', { target: 'east' }, 422, '/target'],
    ['neither target nor in place', {}, 400, '/target'],
    ['both', { target: 'west', inPlace: window(0, 1) }, 400, '/target'],
    ['an apply without a digest', { target: 'west', apply: true }, 400, '/digest'],
    ['a window that ends before it begins', { inPlace: window(2, 1) }, 400, '/inPlace/window/until'],
    ['a window that is over', { inPlace: window(-2, -1) }, 422, '/inPlace/window/until'],
  ])('%s', async (_, body, status, pointer) => {
    const reply = await post(body)
    expect([reply.status, reply.json.errors[0].pointer]).toEqual([status, pointer])
  })

  test('a cluster that is not there, that has another mesh, that does not answer', async () => {
    expect((await world.call('POST', PATH.replace('east', 'north'), { body: BODY })).status).toBe(404)
    expect((await world.call('POST', PATH.replace('east', 'west'), { body: { target: 'east' } })).status).toBe(422)
    clusters.failures.set('list Service', new PortError('unavailable', 'Kubernetes', 'connection refused'))
    expect((await post(BODY)).status).toBe(503)
  })
})

describe('in place', () => {
  const body = { inPlace: window(0.25, 0.75), replace: REPLACEMENTS, accept: ALONE }

  test('services wait on no cluster, and come to it by its label within the window', async () => {
    const held = await post(body)
    expect(held.json).toMatchObject({ stage: 'hold', target: 'east', ready: true })
    expect(held.json.services[0].plan.blocked.reason).toBe('NotSwitched')
    expect(held.json.services[0].plan.changes.map((one: { ref: { kind: string } }) => one.ref.kind)).toContain(
      'AuthorizationPolicy',
    )
    const applied = (await apply(body)).json.applied
    expect(applied.value.map(({ kind, result }: { kind: string; result: string }) => `${kind} ${result}`)).toEqual([
      'service created',
      'service created',
      'cluster updated',
    ])
    const east = (await world.store.read('cluster', 'east'))?.value
    expect(east?.spec.mode).toBe('observe')
    expect((await world.store.all('service')).map(({ targets }) => Object.keys(targets))).toEqual([[], []])

    if (!east) throw new Error('it is gone')
    world.store.put({ ...east, ...ISTIO })
    clusters.objects.set('Deployment', [])
    const plan = await planned(body)
    expect(plan).toMatchObject({ stage: 'switch', ready: true, baseline: [] })
    expect(plan.permissive).toBeUndefined()
    expect(plan.services.map(({ result }: { result: string }) => result)).toEqual(['place', 'place'])
    const early = await apply(body)
    expect([early.status, early.json.errors[0].pointer]).toEqual([409, '/inPlace/window/from'])

    world.clock.time = START + 30 * 60_000
    expect((await apply(body)).json.applied.value).toEqual([{ kind: 'cluster', name: 'east', result: 'updated' }])
    const after = (await world.store.read('cluster', 'east'))?.value.spec
    expect(after).toMatchObject({ mode: 'manage', labels: { env: 'prod', [MIGRATED_FROM]: 'east' } })
  })

  test('the cluster is changed last, and not where a service could not be registered', async () => {
    const theirs = serviceDocument({ namespace: 'bookwarehouse', name: 'bookwarehouse', targets: {} })
    world.store.beforeWrite = () => void world.store.put(theirs)
    const { applied } = (await apply(body)).json
    expect(applied.value.map(({ kind, result }: { kind: string; result: string }) => `${kind} ${result}`)).toEqual([
      'service created',
      'service failed',
    ])
    expect(world.store.get('cluster', 'east').spec.mode).toBe('manage')
    world.store.beforeWrite = () => undefined
    const again = (await apply({ ...body, overwrite: ['bookwarehouse/bookwarehouse'] })).json
    expect(again.stage).toBe('hold')
    expect(again.applied.value.map(({ result }: { result: string }) => result)).toEqual([
      'unchanged',
      'updated',
      'updated',
    ])
    expect(world.store.get('cluster', 'east').spec.mode).toBe('observe')
  })

  test('a cluster that others changed meanwhile stays as they left it', async () => {
    world.store.beforeWrite = (_, document) => {
      if (document.kind !== 'service') return
      world.store.change('cluster', 'east', (one) => ({ ...one, spec: { ...one.spec, labels: { env: 'new' } } }))
    }
    const { applied } = (await apply(body)).json
    expect(applied.value.at(-1)).toMatchObject({ kind: 'cluster', result: 'failed', failure: { code: 'Conflict' } })
    expect(world.store.get('cluster', 'east').spec).toMatchObject({ mode: 'manage', labels: { env: 'new' } })
  })

  test('a cluster that has the label already is refused: services would not wait', async () => {
    world.store.change('cluster', 'east', (one) => ({
      ...one,
      spec: { ...one.spec, labels: { [MIGRATED_FROM]: 'east' } },
    }))
    const { status, json } = await post(body)
    expect([status, json.errors[0].pointer]).toEqual([422, 'path/cluster'])
  })

  test('a cluster with Istio that no service waits for is refused', async () => {
    const reply = await world.call('POST', PATH.replace('east', 'west'), { body })
    expect([reply.status, reply.json.errors[0].pointer]).toEqual([422, 'path/cluster'])
  })

  test('is held up while the controller of Open Service Mesh is there', async () => {
    await apply(body)
    const east = (await world.store.read('cluster', 'east'))?.value
    if (!east) throw new Error('it is gone')
    world.store.put({ ...east, ...ISTIO })
    const { findings, ready } = await planned(body)
    expect([findings[0].code, ready]).toEqual(['BothMeshes', false])
  })

  test('is held up while nobody can say whether that controller is there', async () => {
    await apply(body)
    world.store.change('cluster', 'east', (one) => ({ ...one, ...ISTIO }))
    clusters.failures.set('list Deployment', new PortError('denied', 'Kubernetes', 'forbidden'))
    const { findings, ready } = await planned(body)
    expect([findings[0].code, ready]).toEqual(['NotSeen', false])
  })

  test('is held up while Pods have no proxy of Istio', async () => {
    await apply(body)
    const east = (await world.store.read('cluster', 'east'))?.value
    if (!east) throw new Error('it is gone')
    world.store.put({ ...east, ...ISTIO })
    clusters.objects.set('Deployment', [])
    const pod = (name: string, annotations = {}) => ({
      ...READ_KINDS.pods,
      metadata: { namespace: 'bookstore', name, labels: { app: 'bookstore' }, annotations },
    })
    clusters.objects.set('Pod', [pod('old'), pod('new', { 'sidecar.istio.io/status': '{}' })])
    const { findings, ready } = await planned(body)
    expect([findings.length, findings[0].code, findings[0].message, ready]).toEqual([
      1,
      'PodsNotRestarted',
      '1 Pods: bookstore/old.',
      false,
    ])
  })

  test('a service that is on the cluster already stays as it is', async () => {
    await apply(BODY)
    const theirs = (await world.store.read('service', 'bookstore/bookstore'))?.value
    if (!theirs) throw new Error('it was not registered')
    const spec = { ...theirs.spec, clusters: ['east'] }
    world.store.put({ ...theirs, spec, targets: { east: { stable: 'v1' } } })
    const { services } = await planned({ ...body, overwrite: ['bookstore/bookstore'] })
    expect(services[0].result).toBe('left')
  })
})

/** Hours after the start. */
function window(from: number, until: number): object {
  const at = (hours: number) => new Date(START + hours * 3_600_000).toISOString()
  return { window: { from: at(from), until: at(until) } }
}
