import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RestartIntent } from '../../../../src/model/restarts.ts'
import { type ChoiceInput, chooseRestarts } from '../../../../src/reconcile/restarts/choose-restarts.ts'
import type { Workload } from '../../../../src/reconcile/restarts/workload.ts'
import { aWorkload } from './workloads.ts'

const INTENT: RestartIntent = { olderThan: '2026-05-01T10:00:00.000Z' }
const LATER = '2026-05-01T10:05:00.000Z'

function choose(workloads: readonly Workload[], change: Partial<ChoiceInput> = {}) {
  return chooseRestarts({ workloads, pods: 1000, intent: INTENT, limits: { percent: 5, atOnce: 10 }, ...change })
}

function begun(workloads: readonly Workload[], change: Partial<ChoiceInput> = {}): readonly string[] {
  return choose(workloads, change).begin.map(({ namespace, name }) => `${namespace}/${name}`)
}

/** Workloads of namespaces n0, n1 …, the first with the oldest Pods. */
function many(count: number, change: Partial<Workload> = {}): readonly Workload[] {
  return Array.from({ length: count }, (_, index) =>
    aWorkload({ namespace: `n${index}`, oldestStart: new Date(Date.UTC(2026, 3, 1 + index)).toISOString(), ...change }),
  )
}

describe('the workloads that are restarted next', () => {
  it('are none when no Pod is to be restarted', () => {
    expect(choose([aWorkload({ old: 0 })])).toMatchObject({ begin: [], left: [], done: 1 })
  })

  it('are the ones with the oldest Pods, of each namespace one', () => {
    const [old, older] = [
      aWorkload({ name: 'old', oldestStart: '2026-05-01T07:00:00Z' }),
      aWorkload({ name: 'older', oldestStart: '2026-04-01T07:00:00Z' }),
    ]
    expect(begun([old, aWorkload({ namespace: 'pay' }), older])).toEqual(['shop/older', 'pay/web'])
  })

  it('are at most so many at once', () => {
    expect(begun(many(15))).toHaveLength(10)
    expect(begun(many(15), { limits: { percent: 5, atOnce: 3 } })).toEqual(['n0/web', 'n1/web', 'n2/web'])
  })

  it('have at most that part of all Pods; one that has more is alone', () => {
    expect(begun(many(15), { pods: 200 })).toHaveLength(5)
    expect(begun(many(15, { pods: 3 }), { pods: 200 })).toHaveLength(3)
    expect(begun(many(3, { pods: 50 }), { pods: 200 })).toEqual(['n0/web'])
  })

  it('leave one that does not fit beside the first for later, and take the next that does', () => {
    const [first, second, third] = many(3) as [Workload, Workload, Workload]
    expect(begun([first, { ...second, pods: 9 }, third], { pods: 100 })).toEqual(['n0/web', 'n2/web'])
  })

  it('are none while one that was restarted since is not through, whoever restarted it', () => {
    const choice = choose([aWorkload({ restartedAt: LATER }), aWorkload({ namespace: 'pay' })])
    expect(choice.begin).toEqual([])
    expect(choice.rolling.map(({ namespace }) => namespace)).toEqual(['shop'])
    expect(choice.left.map(({ namespace }) => namespace)).toEqual(['pay'])
  })

  it('may have been restarted for a phase before', () => {
    expect(begun([aWorkload({ restartedAt: '2026-05-01T09:59:59Z' })])).toEqual(['shop/web'])
  })

  it('are none of those that have trouble, which are told of', () => {
    const choice = choose([aWorkload({ problem: 'a rollout of shop/web is live' }), aWorkload({ namespace: 'pay' })])
    expect(choice.begin.map(({ namespace }) => namespace)).toEqual(['pay'])
    expect(choice.waiting).toEqual(['Deployment shop/web: a rollout of shop/web is live'])
    expect(choice.left).toHaveLength(2)
  })

  it('are none of those that cannot be restarted, which are told of and not counted', () => {
    const choice = choose([aWorkload({ cannot: 'it is paused' })])
    expect(choice).toMatchObject({ begin: [], left: [], cannot: ['Deployment shop/web: it is paused'], done: 0 })
  })

  it('are gateways only when no other can be begun, and one at a time', () => {
    const gateways = [aWorkload({ namespace: 'a', role: 'gateway' }), aWorkload({ namespace: 'b', role: 'gateway' })]
    expect(begun([...gateways, aWorkload()])).toEqual(['shop/web'])
    expect(begun(gateways)).toEqual(['a/web'])
    expect(begun([...gateways, aWorkload({ problem: 'it is not available' })])).toEqual(['a/web'])
  })

  it('are those of the control plane first, and nothing else while one of them is left', () => {
    const plane = aWorkload({ namespace: 'linkerd', name: 'linkerd-identity', role: 'control-plane' })
    expect(begun([aWorkload(), plane])).toEqual(['linkerd/linkerd-identity'])
    expect(begun([aWorkload(), { ...plane, problem: 'it is not available' }])).toEqual([])
    expect(begun([aWorkload(), { ...plane, old: 0 }])).toEqual(['shop/web'])
  })
})

const workload = fc
  .record({
    namespace: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    name: fc.constantFrom('one', 'two', 'three'),
    role: fc.constantFrom('sidecar' as const, 'gateway' as const, 'control-plane' as const),
    pods: fc.integer({ min: 1, max: 30 }),
    isOld: fc.boolean(),
    hour: fc.integer({ min: 0, max: 9 }),
    restartedAt: fc.option(fc.constantFrom(LATER, '2026-05-01T09:00:00Z'), { nil: undefined }),
    problem: fc.option(fc.constant('not ready'), { nil: undefined }),
    cannot: fc.option(fc.constant('it is paused'), { nil: undefined }),
  })
  .map(({ isOld, hour, restartedAt, problem, cannot, ...rest }) =>
    aWorkload({
      ...rest,
      old: isOld ? rest.pods : 0,
      oldestStart: `2026-05-01T0${hour}:00:00Z`,
      ...(restartedAt === undefined ? {} : { restartedAt }),
      ...(problem === undefined ? {} : { problem }),
      ...(cannot === undefined ? {} : { cannot }),
    }),
  )

describe('whatever the workloads are, those that are begun together', () => {
  it('are of different namespaces, within both limits or one alone, healthy, and not restarted before', () => {
    const workloads = fc.uniqueArray(workload, { selector: ({ uid }) => uid, maxLength: 18 })
    const limits = fc.record({ percent: fc.integer({ min: 1, max: 5 }), atOnce: fc.integer({ min: 1, max: 10 }) })
    fc.assert(
      fc.property(workloads, limits, fc.integer({ min: 1, max: 2000 }), (all, limits, pods) => {
        const { begin, rolling, left, done } = chooseRestarts({ workloads: all, pods, intent: INTENT, limits })
        expect(new Set(begin.map(({ namespace }) => namespace)).size).toBe(begin.length)
        expect(begin.length).toBeLessThanOrEqual(limits.atOnce)
        const sum = begin.reduce((total, one) => total + one.pods, 0)
        expect(begin.length <= 1 || sum * 100 <= pods * limits.percent).toBe(true)
        for (const one of begin) {
          expect(one).toMatchObject({ old: one.pods })
          expect([one.problem, one.cannot]).toEqual([undefined, undefined])
          expect(one.restartedAt).not.toBe(LATER)
        }
        expect(begin.length === 0 || rolling.length === 0).toBe(true)
        expect(new Set(begin.map(({ role }) => role)).size).toBeLessThanOrEqual(1)
        // Nobody waits for ever: when something can be begun, something is.
        const able = left.filter(({ problem }) => problem === undefined)
        const isPlaneLeft = left.some(({ role }) => role === 'control-plane')
        const turn = isPlaneLeft ? able.filter(({ role }) => role === 'control-plane') : able
        expect(begin.length > 0).toBe(turn.length > 0 && rolling.length === 0)
        const cannot = all.filter((one) => one.old > 0 && one.cannot !== undefined).length
        expect(done + left.length + rolling.length + cannot).toBe(all.length)
      }),
      { numRuns: 500 },
    )
  })
})
