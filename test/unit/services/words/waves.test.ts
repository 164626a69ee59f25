import { beforeEach, describe, expect, it } from 'vitest'
import { desiredTraffic } from '../../../../src/model/desired-traffic.ts'
import { serviceOn } from '../../../../src/model/policy/service-policy.ts'
import { sharedPolicySpec } from '../../../../src/model/policy/shared-policy.ts'
import { bringPolicy } from '../../../../src/policies/bring-policy.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { actOnRollout } from '../../../../src/rollouts/act-on-rollout.ts'
import { deleteService } from '../../../../src/services/delete-service.ts'
import { planService } from '../../../../src/services/plan-service.ts'
import { observedGeneration, readPlacements } from '../../../../src/services/read-placements.ts'
import { selectClusters } from '../../../../src/services/select-clusters.ts'
import { showPolicy } from '../../../../src/services/show-policy.ts'
import { advanceWords } from '../../../../src/services/words/advance-words.ts'
import { aCaller, aCluster, by, eventsIn, spec, workIn } from '../../fakes/documents.ts'
import { aPolicy } from '../../policies/documents.ts'
import { aRollout, aTarget } from '../../rollouts/fixture.ts'
import { Words } from './fleet.ts'

const ALL = ['east', 'north', 'south', 'west']
const SLOW = { traffic: { timeout: '9s' } }

let fleet: Words
beforeEach(() => {
  fleet = new Words(ALL)
})
const types = () => fleet.store.kept.map(({ type }) => type)

describe('a change of what a service says', () => {
  it('reaches one cluster, and the others when that one is live', async () => {
    expect(await fleet.put(SLOW)).toMatchObject({ ok: true, value: { status: 'updated', warnings: [] } })
    expect(fleet.timeouts()).toEqual(['east -', 'north -', 'south -', 'west -'])
    await advanceWords(fleet.deps, 'shop/web')
    expect(fleet.timeouts()).toEqual(['east 9s', 'north -', 'south -', 'west -'])
    await advanceWords(fleet.deps, 'shop/web')
    expect(fleet.timeouts()).toEqual(['east 9s', 'north -', 'south -', 'west -'])
    await fleet.turn()
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 9s'])
    expect(fleet.service.spread).toMatchObject({ held: [], progress: { wave: 2 } })
    await fleet.untilWhole()
    expect(fleet.whole()).toBe(true)
    expect(fleet.service).not.toHaveProperty('spread')
    expect(fleet.service).not.toHaveProperty('dueAt')
    expect(types()).toEqual(['service.changed', 'service.wave', 'service.wave', 'service.applied'])
  })

  it('asks nothing of a cluster before its wave, and once then', async () => {
    await fleet.put(SLOW)
    await fleet.untilWhole()
    expect(fleet.asked).toEqual(ALL)
  })

  it('is carried out by no cluster that still has the words before it', async () => {
    await fleet.put({
      ...SLOW,
      ports: [
        { name: 'http', port: 80, protocol: 'http' },
        { name: 'more', port: 81, protocol: 'tcp' },
      ],
    })
    await advanceWords(fleet.deps, 'shop/web')
    fleet.work()
    expect([...fleet.asked].sort()).toEqual(['east', 'east', 'north', 'south', 'west'])
    const seen = async () => observedGeneration(fleet.service, await readPlacements(fleet.store, fleet.service))
    expect(await seen()).toBe(1)
    await fleet.untilWhole()
    expect(await seen()).toBe(2)
  })

  it('does not wait where it means one cluster, or a new service, or when it is told not to', async () => {
    const one = { overrides: [{ clusters: ['west'], traffic: { timeout: '3s' } }] }
    await fleet.put(one)
    expect(fleet.timeouts()).toEqual(['east -', 'north -', 'south -', 'west 3s'])
    await fleet.put({ ...one, ...SLOW, waves: 'off' })
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 3s'])
    expect(fleet.service).not.toHaveProperty('spread')
    expect(types()).toEqual(['service.changed', 'service.changed'])
  })

  it('waits only where it changes something: an override may say so already', async () => {
    await fleet.put({ overrides: [{ clusters: ['east', 'west'], traffic: { timeout: '9s' } }], waves: 'off' })
    fleet.work()
    await fleet.put({ ...SLOW, waves: { percents: [] } })
    expect(fleet.service.spread?.held).toMatchObject([{ generation: 2, clusters: ['north', 'south'] }])
  })

  it('goes by the percents and the bake that the service asks for', async () => {
    await fleet.put({ ...SLOW, waves: { percents: [50], bake: '10m' } })
    await advanceWords(fleet.deps, 'shop/web')
    fleet.work()
    const began = fleet.time
    await fleet.turn()
    expect(fleet.service.spread?.applied).toMatchObject({ reason: 'Baking', status: 'False', observedGeneration: 2 })
    await fleet.turn()
    expect(fleet.time - began).toBeGreaterThanOrEqual(600_000)
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south -', 'west -'])
    await fleet.untilWhole()
    expect(fleet.whole()).toBe(true)
  })

  it('stops at a cluster that it hurts, says why, and goes on by itself', async () => {
    fleet.broken.set('east', 'VirtualService web is of Flagger.')
    await fleet.put(SLOW)
    for (let turn = 0; turn < 20; turn += 1) await fleet.turn()
    expect(fleet.timeouts()).toEqual(['east 9s', 'north -', 'south -', 'west -'])
    expect(fleet.service.spread?.applied).toMatchObject({
      type: 'Applied',
      reason: 'Stuck',
      message: 'Wave 1 waits for shop/web on east (VirtualService web is of Flagger).',
    })
    expect(types().filter((type) => type === 'service.stuck')).toHaveLength(1)
    fleet.broken.clear()
    fleet.reconcile('east')
    await fleet.untilWhole()
    expect(fleet.whole()).toBe(true)
  })

  it('is not waited for where the service was out of order before', async () => {
    for (const name of ALL) fleet.broken.set(name, 'No endpoints.')
    for (const name of ALL) fleet.reconcile(name)
    await fleet.put(SLOW)
    await fleet.turn()
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 9s'])
  })
})

describe('a second change, while the first is on its way', () => {
  async function stuckOnEast(): Promise<void> {
    fleet.broken.set('east', 'It is broken.')
    await fleet.put(SLOW)
    for (let turn = 0; turn < 20; turn += 1) await fleet.turn()
    fleet.broken.clear()
  }

  it('begins where the first did harm', async () => {
    await stuckOnEast()
    await fleet.put({ traffic: { timeout: '3s' } })
    await advanceWords(fleet.deps, 'shop/web')
    expect(fleet.timeouts()).toEqual(['east 3s', 'north -', 'south -', 'west -'])
    expect(fleet.service.spread).toMatchObject({ goal: 3, progress: { generation: 3, wave: 1 } })
    await fleet.untilWhole()
    expect(fleet.whole()).toBe(true)
  })

  it('that takes the first back is done at once: the others never had it', async () => {
    await stuckOnEast()
    await fleet.put({})
    expect(fleet.timeouts()).toEqual(['east -', 'north -', 'south -', 'west -'])
    expect(fleet.service).not.toHaveProperty('spread')
    expect(fleet.service).not.toHaveProperty('dueAt')
  })

  it('that says the same of clusters, and something else besides, lets the first go on', async () => {
    await stuckOnEast()
    await fleet.put({ ...SLOW, onDrift: 'report' })
    expect(fleet.service.spread).toMatchObject({ goal: 2, applied: { reason: 'Stuck' } })
    expect(fleet.timeouts()).toEqual(['east 9s', 'north -', 'south -', 'west -'])
    await fleet.untilWhole()
    expect(fleet.whole()).toBe(true)
  })

  it('with waves off brings all that is left at once', async () => {
    await stuckOnEast()
    await fleet.put({ ...SLOW, waves: 'off' })
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 9s'])
    fleet.work()
    expect(fleet.whole()).toBe(true)
  })
})

describe('what waits for no wave', () => {
  it('are weights and exposures, and clusters that the service is new to', async () => {
    fleet.store.put(aCluster('new'))
    await fleet.put({ traffic: { timeout: '9s', weights: { v1: 40, v2: 60 } }, clusters: [...ALL, 'new'] })
    expect(fleet.timeouts()).toEqual(['east -', 'new 9s', 'north -', 'south -', 'west -'])
    for (const name of ALL) {
      expect(fleet.wanted(name)).toMatchObject({ traffic: { weights: { v1: 40, v2: 60 } } })
      expect(desiredTraffic(serviceOn(fleet.service, fleet.store.get('cluster', name)), name)).toEqual({
        weights: { v1: 40, v2: 60 },
      })
    }
    expect([...workIn(fleet.service.outbox), ...fleet.store.sent.map(({ message }) => message.kind)]).toContain('wave')
  })

  it('are words that do not go with what else changes: all go at once, and the answer says so', async () => {
    fleet = new Words(ALL, { traffic: { mirror: { version: 'v2', percent: 10 } } })
    const put = await fleet.put({ ...SLOW, versions: { v1: { labels: { version: 'v1' } } } })
    expect(put).toMatchObject({ ok: true, value: { warnings: [expect.stringContaining('at once')] } })
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 9s'])
  })

  it('are words that are too long to be kept beside the newest', async () => {
    const route = (index: number) => ({
      name: `r${index}`,
      match: ['a', 'b'].map((part) => ({ path: { prefix: `/${index}/${part.repeat(900)}` } })),
      timeout: '1s',
    })
    const routes = Array.from({ length: 16 }, (_, index) => route(index))
    fleet = new Words(ALL, { overrides: Array.from({ length: 16 }, () => ({ clusters: ALL, traffic: { routes } })) })
    expect(await fleet.put(SLOW)).toMatchObject({
      ok: true,
      value: { warnings: [expect.stringContaining('too long')] },
    })
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 9s'])
  })

  it('is a removal of the service', async () => {
    await fleet.put(SLOW)
    expect(await deleteService(fleet.deps, 'shop', 'web', by())).toMatchObject({ ok: true, value: { removed: false } })
    expect(fleet.service).not.toHaveProperty('spread')
    expect(fleet.service).not.toHaveProperty('dueAt')
  })

  it('is a policy for many services: it comes beneath the words that hold there', async () => {
    const limits = aPolicy('limits', { traffic: { timeout: '20s', loadBalancing: 'random' } })
    fleet.store.put(limits)
    await fleet.put(SLOW)
    await advanceWords(fleet.deps, 'shop/web')
    // The PUT took it along everywhere at once, as always; where the service waits it is all that it has.
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 20s', 'south 20s', 'west 20s'])
    fleet.work()
    fleet.time += 1000
    const other = { ...limits, saidAt: new Date(fleet.time).toISOString(), generation: 2 }
    const spec = sharedPolicySpec.parse({ appliesTo: 'all', traffic: { timeout: '30s' } })
    await bringPolicy(fleet.deps, { ...other, spec }, 'shop/web', [fleet.store.get('cluster', 'west')])
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 20s', 'south 20s', 'west 30s'])
    expect(fleet.service.policyRevision?.west).toBe(fleet.service.renderRevision)
    await fleet.untilWhole()
    expect(fleet.timeouts()).toEqual(['east 9s', 'north 9s', 'south 9s', 'west 9s'])
    expect(fleet.whole()).toBe(true)
  })

  it('is a policy on its way elsewhere: it does not wait for a cluster that waits for its own wave', async () => {
    fleet.store.put(aPolicy('limits', { traffic: { loadBalancing: 'random' } }))
    await fleet.put({ traffic: { timeout: '8s' }, waves: 'off' })
    fleet.work()
    const before = fleet.service.policyRevision
    await fleet.put(SLOW)
    expect(fleet.service.policyRevision).toEqual(before)
    await advanceWords(fleet.deps, 'shop/web')
    for (const name of ALL) {
      const live = fleet.store.get('placement', `shop/web/${name}`).liveRevision
      expect(live).toBeGreaterThanOrEqual(fleet.service.policyRevision?.[name] ?? Number.POSITIVE_INFINITY)
    }
  })

  it('is an abort: clusters on both sides of the wave go back by it', async () => {
    const rollout = aRollout('progressing', { targets: [aTarget('east', 50), aTarget('west', 50)] })
    fleet.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [rollout] }))
    await fleet.put(SLOW)
    await advanceWords(fleet.deps, 'shop/web')
    fleet.work()
    expect(fleet.timeouts()).toEqual(['east 9s', 'north -', 'south -', 'west -'])
    const carried: string[] = []
    const deps = {
      ...fleet.deps,
      carryOut: async (_: string, cluster: string) => void carried.push(cluster),
      advance: async () => undefined,
    }
    const caller = aCaller({ roles: ['Mesh.Admin'] })
    expect(await actOnRollout(deps, rollout.id, { verb: 'abort', note: '' }, by({ caller }))).toMatchObject({
      ok: true,
    })
    expect(carried).toEqual(['east', 'west'])
    for (const name of ['east', 'west']) {
      const place = fleet.store.get('cluster', name)
      expect(desiredTraffic(serviceOn(fleet.service, place), name)).toEqual({ weights: { v1: 100, v2: 0 } })
    }
    expect(fleet.timeouts()).toEqual(['east 9s', 'north -', 'south -', 'west -'])
    // The rollout and the change are both due: neither forgets the other.
    expect(fleet.service.dueAt).toBeDefined()
    await fleet.untilWhole()
    expect(fleet.whole()).toBe(true)
  })

  it('are overrides that hold by a label that a cluster has now', async () => {
    const overrides = [{ clusters: { matchLabels: { env: 'prod' } }, traffic: { timeout: '1s' } }]
    await fleet.put({ overrides })
    await fleet.put({ overrides, traffic: { loadBalancing: 'random' } })
    const held = fleet.service.spread?.held
    fleet.store.change('cluster', 'west', (cluster) => ({
      ...cluster,
      spec: { ...cluster.spec, labels: { env: 'prod' } },
    }))
    await selectClusters(fleet.deps)
    expect(fleet.service.spread?.held).toEqual(held)
    await fleet.untilWhole()
    expect(fleet.timeouts()).toEqual(['east -', 'north -', 'south -', 'west 1s'])
    expect(fleet.whole()).toBe(true)
  })
})

describe('what is told of a change on its way', () => {
  it('is which words hold where, and since which generation', async () => {
    await fleet.put(SLOW)
    await advanceWords(fleet.deps, 'shop/web')
    expect(await showPolicy(fleet.store, 'shop/web', undefined)).toMatchObject({
      value: [
        { cluster: 'east', generation: 2, current: true, policy: { traffic: { timeout: '9s' } } },
        { cluster: 'north', generation: 1, current: false, policy: {}, origins: {} },
        { cluster: 'south', current: false },
        { cluster: 'west', current: false },
      ],
    })
  })

  it('is, before it is made, in which waves it goes; the plan is of all of it', async () => {
    const planned: string[] = []
    const deps = {
      ...fleet.deps,
      plan: async (service: { spread?: unknown }, cluster: string) => {
        planned.push(`${cluster} ${service.spread === undefined}`)
        return { cluster, changes: [], findings: [] }
      },
    }
    fleet.broken.set('east', 'No endpoints.')
    fleet.reconcile('east')
    const body = spec({ clusters: ALL, ...SLOW, waves: { percents: [75] } })
    const plan = () => planService(deps, 'shop', 'web', body, aCaller())
    expect(await plan()).toMatchObject({ value: { waves: [['north'], ['south', 'west'], ['east']] } })
    expect(planned).toEqual(ALL.map((name) => `${name} true`))
    expect(fleet.store.writes).toBe(0)
    await fleet.put({ ...SLOW, waves: { percents: [75] } })
    await advanceWords(fleet.deps, 'shop/web')
    const stored = await planService(deps, 'shop', 'web', undefined, aCaller())
    expect(stored).toMatchObject({ value: { waves: [['south', 'west'], ['east']] } })
  })
})

it('is finished by whoever comes next when a process dies at any write', async () => {
  const whole = await changeWithCrashAt(Number.POSITIVE_INFINITY)
  expect(whole.writes).toBeGreaterThan(2)
  for (let crash = 1; crash <= whole.writes; crash += 1)
    expect(await changeWithCrashAt(crash), `at write ${crash}`).toMatchObject({ timeouts: whole.timeouts, whole: true })
})

async function changeWithCrashAt(crash: number) {
  const own = new Words(ALL)
  await own.put(SLOW)
  let writes = 0
  own.store.beforeWrite = () => {
    writes += 1
    if (writes === crash) throw new PortError('unavailable', 'memory', 'the process died')
  }
  for (let turn = 0; turn < 40 && own.service.spread; turn += 1) {
    await own.turn().catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error
    })
  }
  own.work()
  return { timeouts: own.timeouts(), whole: own.whole(), writes, events: eventsIn(own.service.outbox) }
}
