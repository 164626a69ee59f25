import fc from 'fast-check'
import { expect, it } from 'vitest'
import { desiredTraffic } from '../../../../src/model/desired-traffic.ts'
import { canonicalJson } from '../../../../src/model/digest.ts'
import type { ServiceDocument } from '../../../../src/model/documents.ts'
import { serviceOn, servicePolicy } from '../../../../src/model/policy/service-policy.ts'
import { serviceDueAt } from '../../../../src/model/service-due.ts'
import { PortError } from '../../../../src/ports/port-error.ts'
import { foldRollouts } from '../../../../src/rollouts/fold-rollouts.ts'
import { advanceWords } from '../../../../src/services/words/advance-words.ts'
import { aRollout, aTarget } from '../../rollouts/fixture.ts'
import { Words } from './fleet.ts'

const CLUSTERS = ['a', 'b', 'c', 'd', 'e']
const cluster = fc.constantFrom(...CLUSTERS)
const timeout = fc.constantFrom('1s', '2s', '3s')

/** What a service may say: few words, so that changes are often taken back, or said in another place. */
const said = fc.record({
  own: fc.option(timeout, { nil: undefined }),
  over: fc.option(fc.record({ clusters: fc.uniqueArray(cluster, { minLength: 1, maxLength: 3 }), timeout }), {
    nil: undefined,
  }),
  balancing: fc.option(fc.constantFrom('random', 'round-robin'), { nil: undefined }),
  weights: fc.option(fc.constantFrom({ v1: 100 }, { v1: 30, v2: 70 }), { nil: undefined }),
  port: fc.boolean(),
  waves: fc.constantFrom(undefined, 'off', { percents: [40, 80] }, { percents: [], bake: '1m' }),
  clusters: fc.subarray(CLUSTERS, { minLength: 3 }),
})
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), said }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('break', 'mend', 'pass'), cluster }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('weight' as const), cluster, to: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

it('reaches every cluster whole, never more than a wave at once, whatever comes between; weights wait for nothing', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const fleet = new Words(CLUSTERS)
      const rules = watch(fleet)
      for (const one of steps) {
        await take(fleet, one).catch(died)
        rules.check()
      }
      for (const name of CLUSTERS) {
        fleet.broken.delete(name)
        fleet.reconcile(name)
      }
      await fleet.untilWhole(60)
      rules.check()
      expect(fleet.service).not.toHaveProperty('spread')
      expect(fleet.whole()).toBe(true)
    }),
    { numRuns: 300 },
  ))

async function take(fleet: Words, one: Step): Promise<void> {
  switch (one.kind) {
    case 'put': {
      const { own, over, balancing, weights, port, waves, clusters } = one.said
      const traffic = { timeout: own, loadBalancing: balancing, weights: isFree(fleet) ? weights : undefined }
      const ports = [{ name: 'http', port: 80, protocol: 'http' }, ...(port ? [MORE] : [])]
      const overrides = over && [{ clusters: over.clusters, traffic: { timeout: over.timeout } }]
      await fleet.put({ traffic, overrides, ports, waves, clusters })
      return
    }
    case 'turn':
      return fleet.turn()
    case 'die': {
      const { beforeWrite } = fleet.store
      fleet.store.beforeWrite = () => {
        fleet.store.beforeWrite = beforeWrite
        throw new PortError('unavailable', 'memory', 'the process died')
      }
      await advanceWords(fleet.deps, 'shop/web').catch(died)
      fleet.store.beforeWrite = beforeWrite
      return
    }
    case 'weight':
      return move(fleet, [aRollout('progressing', { targets: [aTarget(one.cluster, one.to)] })])
    case 'abort':
      return move(
        fleet,
        fleet.service.rollouts.map((rollout) => ({ ...rollout, phase: 'rolling-back' as const })),
      )
    default:
      if (one.kind === 'break') fleet.broken.set(one.cluster, 'It is broken.')
      if (one.kind === 'mend') fleet.broken.delete(one.cluster)
      fleet.reconcile(one.cluster)
  }
}

const MORE = { name: 'more', port: 81, protocol: 'tcp' }
const isFree = ({ service }: Words) => service.rollouts.length === 0

/** A write of a rollout, as the state machine makes it. */
function move(fleet: Words, rollouts: ServiceDocument['rollouts']): void {
  const known = rollouts.filter(({ targets }) => targets.every(({ cluster }) => fleet.service.targets[cluster]))
  if (known.length > 0) fleet.store.put(foldRollouts(fleet.service, known, fleet.time))
}

function died(error: unknown): void {
  if (!(error instanceof PortError)) throw error
}

/** Compares each service document with the one before it. */
function watch(fleet: Words) {
  let before = fleet.service
  const waves = new Map<number, number>()
  const policies = (service: ServiceDocument) =>
    Object.fromEntries(
      Object.keys(service.targets).map((name) => {
        const { weights: _, ...traffic } = servicePolicy(service, fleet.store.get('cluster', name)).policy.traffic ?? {}
        return [name, canonicalJson(traffic)]
      }),
    )
  const whenWritten = fleet.store.replace.bind(fleet.store)
  const seen: ServiceDocument[] = []
  fleet.store.replace = async (stored, next, outbox) => {
    const written = await whenWritten(stored, next, outbox)
    if (written.value.kind === 'service') seen.push(written.value)
    return written
  }
  return {
    check() {
      for (const after of seen.splice(0)) {
        const [was, is] = [policies(before), policies(after)]
        const moved = Object.keys(is).filter((name) => was[name] !== undefined && was[name] !== is[name])
        if (after.generation > before.generation) {
          if (after.spec.waves !== 'off') expect(moved.length, 'a PUT moves one at most').toBeLessThanOrEqual(1)
        } else if (moved.length > 0) {
          const { goal = 0, progress } = after.spread ?? {}
          const first = !waves.has(goal)
          expect(progress?.released.map(({ cluster }) => cluster)).toEqual(expect.arrayContaining(moved))
          if (first) expect(progress?.released, 'one first').toHaveLength(1)
          else expect(isSettled(fleet, before), 'the wave before is live').toBe(true)
          waves.set(goal, progress?.wave ?? 0)
        }
        before = after
      }
      const { spread: _, ...newest } = fleet.service
      for (const name of Object.keys(newest.targets)) {
        const place = fleet.store.get('cluster', name)
        expect(desiredTraffic(serviceOn(fleet.service, place), name)).toEqual(desiredTraffic(newest, name))
        expect(servicePolicy(serviceOn(fleet.service, place), place).policy).toEqual(
          servicePolicy(fleet.service, place).policy,
        )
      }
      expect(fleet.service.dueAt).toBe(serviceDueAt(fleet.service))
      before = fleet.service
    },
  }
}

/** Does every cluster of the last wave that was in order before carry what it was let go for? */
function isSettled(fleet: Words, { spread }: ServiceDocument): boolean {
  const { released = [], revision = 0 } = spread?.progress ?? {}
  return released.every(({ cluster, awaited }) => {
    const live = fleet.store.peek('placement', `shop/web/${cluster}`)?.liveRevision ?? 0
    return !awaited || !fleet.service.targets[cluster] || live >= revision
  })
}
