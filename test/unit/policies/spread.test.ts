import { beforeEach, describe, expect, it } from 'vitest'
import { findCondition } from '../../../src/model/condition.ts'
import type { PolicyDocument } from '../../../src/model/documents.ts'
import { sharedPolicySpec } from '../../../src/model/policy/shared-policy.ts'
import { advanceSpread, scanPolicies } from '../../../src/policies/advance-spread.ts'
import { deletePolicy } from '../../../src/policies/delete-policy.ts'
import { planPolicy } from '../../../src/policies/plan-policy.ts'
import { putPolicy } from '../../../src/policies/put-policy.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { putService } from '../../../src/services/put-service.ts'
import { aCaller, aTeam, by, spec } from '../fakes/documents.ts'
import { labelled } from './documents.ts'
import { Fleet } from './fleet.ts'

const admin = by({ caller: aCaller({ roles: ['Mesh.Admin'] }) })
const NAMES = ['a', 'b', 'c', 'd', 'e']
const EAST = { targets: { east: { stable: 'v1' } }, spec: spec({ clusters: ['east'] }) }

let fleet: Fleet
beforeEach(() => {
  fleet = new Fleet()
  fleet.store.put(aTeam())
  for (const cluster of [labelled('east', 'prod'), labelled('west', 'test')]) fleet.store.put(cluster)
})

function put(body: object, name = 'limits') {
  return putPolicy(fleet.deps, name, sharedPolicySpec.parse({ appliesTo: 'all', ...body }), admin)
}
const policy = (): PolicyDocument => fleet.store.get('policy', 'limits')
const applied = () => findCondition(policy().conditions, 'Applied')
const types = () => fleet.store.kept.map(({ type }) => type)

async function untilApplied(): Promise<void> {
  for (let turn = 0; turn < 40 && fleet.store.peek('policy', 'limits')?.dueAt !== undefined; turn += 1)
    await fleet.turn('limits')
}

describe('a policy that is put', () => {
  it('reaches one service, then the rest, each wave when the one before is live', async () => {
    fleet.add(NAMES, EAST)
    expect(await put({ traffic: { timeout: '9s' } })).toMatchObject({ ok: true, value: { status: 'created' } })
    await advanceSpread(fleet.deps, 'limits')
    expect(fleet.reached('limits')).toEqual(['a/east'])
    await advanceSpread(fleet.deps, 'limits')
    expect(fleet.reached('limits')).toEqual(['a/east'])
    await fleet.turn('limits')
    expect(fleet.reached('limits')).toHaveLength(5)
    expect(policy()).toMatchObject({ observedGeneration: 0, spread: { wave: 2, total: 5 } })
    await untilApplied()
    expect(policy()).toMatchObject({ observedGeneration: 1, reach: { services: 5, placements: 5, left: 0 } })
    expect(policy()).not.toHaveProperty('spread')
    expect(policy()).not.toHaveProperty('dueAt')
    expect(applied()).toMatchObject({ status: 'True', reason: 'Done' })
    expect(types()).toEqual([
      'policy.registered',
      'policy.wave',
      'service.policy',
      'policy.wave',
      ...NAMES.slice(1).map(() => 'service.policy'),
      'policy.applied',
    ])
  })

  it('goes from cluster to cluster of one service too, and writes only where it has come', async () => {
    fleet.add(['web'])
    await put({ traffic: { timeout: '9s' } })
    await advanceSpread(fleet.deps, 'limits')
    expect(fleet.service('web')).toMatchObject({ renderRevision: 101, policyRevision: { east: 101 }, generation: 1 })
    expect(fleet.store.sent.filter(({ message }) => message.kind === 'reconcile')).toHaveLength(1)
    await untilApplied()
    expect(fleet.service('web')).toMatchObject({
      renderRevision: 102,
      policyRevision: { east: 101, west: 102 },
      layers: [{ name: 'limits', clusters: ['east', 'west'] }],
    })
  })

  it('changes no render where the service says something else, and asks nothing of the cluster', async () => {
    fleet.add(['web'], { ...EAST, spec: spec({ clusters: ['east'], traffic: { timeout: '1s' } }) })
    await put({ traffic: { timeout: '9s' } })
    await untilApplied()
    expect(fleet.service('web')).toMatchObject({ renderRevision: 100, layers: [{ name: 'limits' }] })
    expect(fleet.store.sent.filter(({ message }) => message.kind === 'reconcile')).toEqual([])
  })

  it('writes nothing once all is done, and nothing when only its guard rails change', async () => {
    fleet.add(NAMES, EAST)
    await put({ traffic: { timeout: '9s' } })
    await untilApplied()
    const before = fleet.store.writes
    await advanceSpread(fleet.deps, 'limits')
    await scanPolicies(fleet.deps)
    expect(fleet.store.writes).toBe(before)
    await put({ traffic: { timeout: '9s' }, guardRails: { noFaults: true } })
    await untilApplied()
    // The PUT, and what came of it.
    expect(fleet.store.writes).toBe(before + 2)
    expect(findCondition(policy().conditions, 'GuardRailsKept')).toMatchObject({ status: 'True' })
  })

  it('stops at a wave that gets stuck, says why, and goes on by itself', async () => {
    fleet.add(NAMES, EAST)
    fleet.broken.set('a/east', 'VirtualService a is of Flagger.')
    await put({ traffic: { timeout: '9s' } })
    for (let turn = 0; turn < 30; turn += 1) await fleet.turn('limits')
    expect(fleet.reached('limits')).toEqual(['a/east'])
    expect(applied()).toMatchObject({
      status: 'False',
      reason: 'Stuck',
      message: 'Wave 1 waits for shop/a on east (VirtualService a is of Flagger).',
    })
    expect(types().filter((type) => type === 'policy.stuck')).toHaveLength(1)
    fleet.broken.clear()
    const now = fleet.service('a')
    fleet.add(['a'], now)
    await untilApplied()
    expect(fleet.reached('limits')).toHaveLength(5)
  })

  it('that stopped is mended by another, which begins where it hurts', async () => {
    fleet.add(NAMES, EAST)
    fleet.broken.set('a/east', 'It is broken.')
    await put({ traffic: { timeout: '9s' } })
    for (let turn = 0; turn < 30; turn += 1) await fleet.turn('limits')
    fleet.broken.clear()
    await put({ traffic: { timeout: '3s' } })
    await advanceSpread(fleet.deps, 'limits')
    expect(fleet.service('a').layers).toMatchObject([{ policy: { traffic: { timeout: '3s' } }, generation: 2 }])
    expect(fleet.reached('limits')).toEqual(['a/east'])
    await untilApplied()
    expect(fleet.reached('limits')).toHaveLength(5)
  })

  it('is finished by whoever comes next when a process dies at any write', async () => {
    const whole = await spreadWithCrashAt(Number.POSITIVE_INFINITY)
    expect(whole.layers).toHaveLength(5)
    for (let crash = 1; crash <= whole.writes; crash += 1)
      expect(await spreadWithCrashAt(crash), `at write ${crash}`).toMatchObject({ layers: whole.layers })
  })

  it('that makes mutual TLS strict is refused while callers without it are seen on a cluster, and waived by name', async () => {
    const workload = { labels: { app: 'web' } }
    fleet.add(NAMES, { ...EAST, spec: spec({ clusters: ['east'], workload }) })
    const now = fleet.deps.clock.now()
    const labels = {
      reporter: 'destination',
      destination_service_namespace: 'shop',
      destination_service_name: 'b',
      connection_security_policy: 'none',
    }
    fleet.metrics.put('east', 'istio_requests_total', labels, [
      [now - 3_590_000, 0],
      [now - 60_000, 7],
    ])
    const refused = await put({ security: { mtls: 'strict' } })
    expect(refused).toMatchObject({
      failure: { code: 'PlainCallers', errors: [{ reason: expect.stringContaining('7 requests to shop/b on east') }] },
    })
    expect(await put({ security: { mtls: 'permissive' } })).toMatchObject({ ok: true, value: { warnings: [] } })
    const waived = await put({ security: { mtls: 'strict' }, waive: ['PlainCallers'] })
    expect(waived).toMatchObject({
      ok: true,
      value: { warnings: expect.arrayContaining([expect.stringContaining('PlainCallers is waived')]) },
    })
  })

  it('that a service took at its own PUT is not brought again', async () => {
    fleet.add(NAMES, EAST)
    await put({ traffic: { timeout: '9s' } })
    await untilApplied()
    const own = spec({ clusters: ['east'], traffic: { retries: { attempts: 1 } } })
    expect(await putService(fleet.deps, 'shop', 'new', own, by())).toMatchObject({ ok: true })
    expect(fleet.store.get('service', 'shop/new').layers).toMatchObject([{ name: 'limits', clusters: ['east'] }])
    const before = fleet.store.writes
    await scanPolicies(fleet.deps)
    expect(fleet.store.writes).toBe(before)
  })

  it('holds on clusters by label, and follows their labels', async () => {
    fleet.add(['web'])
    await put({ traffic: { timeout: '9s' }, clusters: { matchLabels: { env: 'prod' } } })
    await untilApplied()
    expect(fleet.reached('limits')).toEqual(['web/east'])
    fleet.store.put(labelled('west', 'prod'))
    await scanPolicies(fleet.deps)
    await untilApplied()
    expect(fleet.reached('limits')).toEqual(['web/east', 'web/west'])
  })
})

describe('a policy that goes', () => {
  it('is taken off its services in waves, then is gone', async () => {
    fleet.add(NAMES, EAST)
    await put({ traffic: { timeout: '9s' } })
    await untilApplied()
    expect(await deletePolicy(fleet.deps, 'limits', admin)).toEqual({ ok: true, value: { removed: false } })
    await advanceSpread(fleet.deps, 'limits')
    expect(fleet.reached('limits')).toHaveLength(4)
    await untilApplied()
    expect(fleet.store.peek('policy', 'limits')).toBeUndefined()
    expect(fleet.reached('limits')).toEqual([])
    expect(fleet.service('a')).not.toHaveProperty('layers')
    expect(types().slice(-1)).toEqual(['policy.applied'])
  })

  it('and that nobody carries is gone at once', async () => {
    fleet.add(['web'])
    await put({ guardRails: { noFaults: true } })
    expect(await deletePolicy(fleet.deps, 'limits', admin)).toEqual({ ok: true, value: { removed: true } })
  })

  it('leaves no copy in a service that was written meanwhile', async () => {
    fleet.add(['web'], EAST)
    await put({ traffic: { timeout: '9s' } })
    await untilApplied()
    fleet.store.drop('policy', 'limits')
    await scanPolicies(fleet.deps)
    expect(fleet.service('web')).not.toHaveProperty('layers')
  })

  it('stays while another policy needs what it says', async () => {
    fleet.add(['web'], EAST)
    await put({ traffic: { timeout: '9s' } })
    await put({ guardRails: { maxTimeout: '10s' } }, 'rails')
    expect(await deletePolicy(fleet.deps, 'limits', admin)).toMatchObject({
      failure: { code: 'GuardRail', errors: [{ pointer: '/traffic/timeout' }] },
    })
  })
})

describe('guard rails', () => {
  it('that services break are refused whole, and name them', async () => {
    fleet.add(['a', 'b'], { ...EAST, spec: spec({ clusters: ['east'], traffic: { timeout: '1m' } }) })
    const refused = await put({ guardRails: { maxTimeout: '30s' } })
    expect(refused).toMatchObject({
      ok: false,
      failure: {
        code: 'GuardRail',
        detail: 'The policies would not fit 2 services; nothing was changed.',
        errors: [
          {
            pointer: '/guardRails/maxTimeout',
            reason: 'shop/a on east: traffic.timeout must be 30s at most, and is 1m (service)',
          },
          { pointer: '/guardRails/maxTimeout' },
        ],
      },
    })
    expect(fleet.store.peek('policy', 'limits')).toBeUndefined()
    expect(await put({ guardRails: { maxTimeout: '30s' }, except: ['shop/a', 'shop/b'] })).toMatchObject({ ok: true })
  })

  it('are kept by what the policy itself says', async () => {
    fleet.add(['web'], EAST)
    expect(await put({ guardRails: { maxTimeout: '30s' }, traffic: { timeout: '9s' } })).toMatchObject({ ok: true })
  })

  it('refuse a service that breaks them, at the field that does, with the way out', async () => {
    await put({ guardRails: { maxTimeout: '30s' }, traffic: { timeout: '9s' } })
    const own = spec({
      clusters: ['east'],
      traffic: { timeout: '5s' },
      overrides: [{ clusters: { matchLabels: { env: 'prod' } }, traffic: { timeout: '2m' } }],
    })
    expect(await putService(fleet.deps, 'shop', 'web', own, by())).toMatchObject({
      failure: {
        code: 'GuardRail',
        errors: [
          {
            pointer: '/overrides/0/traffic/timeout',
            reason: 'traffic.timeout must be 30s at most, and is 2m on east: guard rail maxTimeout of policy limits',
          },
        ],
        hint: expect.stringContaining('"except"'),
      },
    })
    expect(fleet.store.peek('service', 'shop/web')).toBeUndefined()
  })

  it('that a race let through are told of', async () => {
    fleet.add(['web'], { ...EAST, spec: spec({ clusters: ['east'], traffic: { timeout: '1s' } }) })
    await put({ guardRails: { maxTimeout: '30s' } })
    fleet.add(['late'], { ...EAST, spec: spec({ clusters: ['east'], traffic: { timeout: '1m' } }) })
    await untilApplied()
    expect(findCondition(policy().conditions, 'GuardRailsKept')).toMatchObject({
      status: 'False',
      message: 'shop/late on east: /traffic/timeout must be 30s at most, and is 1m.',
    })
  })

  it('what does not go together is refused too, with the services that would have it', async () => {
    fleet.add(['web'], EAST)
    expect(await put({ traffic: { locality: { prefer: 'zone' } } })).toMatchObject({
      ok: false,
      failure: {
        code: 'InvalidCombination',
        errors: [{ pointer: '/traffic/locality', reason: expect.stringContaining('shop/web on east: needs outliers') }],
      },
    })
  })
})

describe('the plan of a policy', () => {
  it('names what changes, in which waves, and what would be refused; and writes nothing', async () => {
    fleet.add(NAMES, EAST)
    fleet.add(['own'], { ...EAST, spec: spec({ clusters: ['east'], traffic: { timeout: '1m' } }) })
    const body = sharedPolicySpec.parse({
      appliesTo: 'all',
      traffic: { timeout: '9s' },
      guardRails: { maxTimeout: '10s' },
    })
    expect(await planPolicy(fleet.deps, 'limits', body)).toMatchObject({
      value: {
        services: 6,
        placements: 6,
        changed: 5,
        changes: NAMES.map((name) => ({ service: `shop/${name}`, cluster: 'east', fields: ['/traffic/timeout'] })),
        waves: [1, 5],
        problems: [{ service: 'shop/own', code: 'GuardRail', pointer: '/guardRails/maxTimeout' }],
      },
    })
    expect(fleet.store.writes).toBe(0)
    expect(await planPolicy(fleet.deps, 'limits', undefined)).toMatchObject({ failure: { code: 'NotFound' } })
  })
})

async function spreadWithCrashAt(crash: number) {
  const own = new Fleet()
  own.store.put(labelled('east', 'prod'))
  own.add(NAMES, EAST)
  const body = sharedPolicySpec.parse({ appliesTo: 'all', traffic: { timeout: '9s' } })
  await putPolicy(own.deps, 'limits', body, admin)
  let writes = 0
  own.store.beforeWrite = () => {
    writes += 1
    if (writes === crash) throw new PortError('unavailable', 'memory', 'the process died')
  }
  for (let turn = 0; turn < 40 && own.store.get('policy', 'limits').dueAt !== undefined; turn += 1) {
    await own.turn('limits').catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error
    })
  }
  return { layers: own.reached('limits'), writes }
}
