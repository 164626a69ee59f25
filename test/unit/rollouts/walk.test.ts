import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { desiredWeights } from '../../../src/model/desired-weights.ts'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import { timestamp } from '../../../src/model/names.ts'
import { isTerminal, type Rollout, type Verdict } from '../../../src/model/rollout.ts'
import { decide } from '../../../src/rollouts/decide.ts'
import { foldRollouts } from '../../../src/rollouts/fold-rollouts.ts'
import { TRANSITIONS } from '../../../src/rollouts/machine.ts'
import type { Observations } from '../../../src/rollouts/observations.ts'
import { asksRender } from '../../../src/rollouts/transition.ts'
import { applyVerb, VERBS, type Verb } from '../../../src/rollouts/verbs.ts'
import { aService } from '../fakes/documents.ts'
import { aProgress, aRollout, aVerdict, MINUTE, onCluster, PERSON, SECOND, seen, T0 } from './fixture.ts'

/** Random walks of one rollout through its service's document: whatever is seen and asked, in whatever order. */

const NAMES = ['east', 'west'] as const

interface OnOne {
  readonly live: boolean
  readonly reachable: boolean
  readonly candidateReady: number
  readonly stableReady: number
  readonly weightChanged: boolean
  readonly obstacle: string | undefined
  readonly gone: boolean
}
/** One pass of a worker, so much later. */
interface Sight {
  readonly kind: 'sight'
  readonly pass: number
  readonly clusters: readonly [OnOne, OnOne]
  readonly frozen: string | undefined
  readonly slot: boolean
  readonly look: { readonly verdicts: readonly Verdict[]; readonly events: number } | null
}
/** A verb, so much later. */
interface Act {
  readonly kind: 'verb'
  readonly pass: number
  readonly verb: Verb
}

const onOne: fc.Arbitrary<OnOne> = fc.record({
  live: fc.boolean(),
  reachable: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  candidateReady: fc.constantFrom(0, 2, 2),
  stableReady: fc.constantFrom(0, 2),
  weightChanged: fc.constantFrom(false, false, false, true),
  obstacle: fc.constantFrom(undefined, undefined, 'FreezeActive', 'WaitingForEndpoints'),
  gone: fc.constantFrom(false, false, false, false, true),
})
const verdict = fc.constantFrom<Verdict>('safe', 'safe', 'safe', 'undecided', 'blind', 'harm')
const sight: fc.Arbitrary<Sight> = fc.record({
  kind: fc.constant('sight'),
  pass: fc.constantFrom(SECOND, 20 * SECOND, 75 * SECOND, 11 * MINUTE, 40 * MINUTE),
  clusters: fc.tuple(onOne, onOne),
  frozen: fc.constantFrom(undefined, undefined, undefined, 'xmas'),
  slot: fc.constantFrom(true, true, false),
  look: fc.option(fc.record({ verdicts: fc.tuple(verdict, verdict), events: fc.constantFrom(0, 20, 500) })),
})
const verb: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('verb'),
  pass: fc.constantFrom(0, SECOND, MINUTE),
  verb: fc.constantFrom(...VERBS),
})
/** All is well: so that walks get anywhere. */
const fine: fc.Arbitrary<Sight> = fc.record({
  kind: fc.constant('sight'),
  pass: fc.constantFrom(20 * SECOND, 75 * SECOND),
  clusters: fc.constant([FINE(), FINE()]),
  frozen: fc.constant(undefined),
  slot: fc.constant(true),
  look: fc.constant({ verdicts: ['safe', 'safe'], events: 500 }),
})
const walk: fc.Arbitrary<(Sight | Act)[]> = fc.array(
  fc.oneof({ weight: 6, arbitrary: fine }, { weight: 4, arbitrary: sight }, { weight: 1, arbitrary: verb }),
  { maxLength: 40 },
)
const shape = fc.record({
  gates: fc.constantFrom([], [{ kind: 'errors', limitPercent: 1 }] as const),
  onBlind: fc.constantFrom('pause', 'hold' as const),
  steps: fc.constantFrom(
    [{ weight: 10, for: '1m' }],
    [
      { weight: 10, for: '1m', approval: true },
      { weight: 50, for: '1m', analysis: true },
      { weight: 100, for: '1m' },
    ],
  ),
})

function FINE(): OnOne {
  const fields = { live: true, reachable: true, candidateReady: 2, stableReady: 2, weightChanged: false, gone: false }
  return { ...fields, obstacle: undefined }
}

function observe(rollout: Rollout, { clusters, frozen, slot, look }: Sight, now: number): Observations {
  const targets = Object.fromEntries(
    NAMES.map((name, index) => {
      const { live, obstacle, ...found } = clusters[index] ?? clusters[0]
      return [
        name,
        onCluster({
          ...found,
          liveRevision: live ? rollout.revision : rollout.revision - 1,
          liveAt: now - SECOND,
          ...(obstacle === undefined ? {} : { obstacle: { reason: obstacle, message: `${name}: ${obstacle}.` } }),
        }),
      ]
    }),
  )
  const looks =
    look &&
    rollout.gates.length > 0 &&
    rollout.liveAt !== undefined &&
    ['progressing', 'blind', 'baking'].includes(rollout.phase)
  const progress = looks
    ? NAMES.map((name, index) =>
        aProgress(name, {
          last: aVerdict(look.verdicts[index] ?? 'safe'),
          stepCandidate: { good: look.events, bad: 0 },
          lookedAt: timestamp(now),
        }),
      )
    : rollout.progress
  return seen(rollout, { now, targets, slot, progress, ...(frozen === undefined ? {} : { frozen }) })
}

function begin(change: Partial<Rollout>): ServiceDocument {
  const rollout = aRollout('pending', { ...change, revision: 0 })
  return foldRollouts(aService(), [{ ...rollout, nextAttemptAt: rollout.startedAt }], T0)
}

/** The service after each step of a walk, with the rollout as it was before and after, and what was seen. */
function* steps(change: Partial<Rollout>, path: readonly (Sight | Act)[]) {
  let service = begin(change)
  let now = T0
  for (const step of path) {
    const [before] = service.rollouts
    if (!before) return
    now += step.pass
    const sees = step.kind === 'sight' ? observe(before, step, now) : undefined
    const acted =
      step.kind === 'verb' ? applyVerb(before, { verb: step.verb, note: '', actor: PERSON, now }) : undefined
    const rollout = sees ? decide(before, sees) : acted?.ok ? acted.value : before
    const next = foldRollouts(service, [rollout], now)
    const kept = next.rollouts[0] ?? archived(next) ?? rollout
    yield { service, next, before, after: kept, decided: rollout, sees, now, verb: step.kind === 'verb' }
    service = next
  }
}

/** The ended rollout in the outbox. */
function archived({ outbox }: ServiceDocument): Rollout | undefined {
  const entry = outbox.find(({ kind }) => kind === 'archive')
  return entry?.kind === 'archive' ? (entry.value as { rollout: Rollout }).rollout : undefined
}

function holds(check: (step: ReturnType<typeof steps> extends Generator<infer S> ? S : never) => void): void {
  fc.assert(
    fc.property(shape, walk, (change, path) => {
      for (const step of steps(change as Partial<Rollout>, path)) check(step)
    }),
    { numRuns: 400 },
  )
}

describe('whatever is seen and asked of a rollout', () => {
  it('it moves only as the table says, and its history has who and why', () => {
    holds(({ before, after }) => {
      if (after.phase !== before.phase) expect(TRANSITIONS.get(before.phase)).toContain(after.phase)
      const added = after.history.slice(before.history.length)
      expect(added.length).toBeLessThanOrEqual(1)
      for (const { from, to, actor, reason, message } of added) {
        expect([from, to]).toEqual([before.phase, after.phase])
        expect(actor.id).not.toBe('')
        expect(reason).toMatch(/^[A-Z][A-Za-z]+$/)
        expect(message).not.toBe('')
      }
      if (asksRender(before, after)) expect(added).toHaveLength(1)
    })
  })

  it('the candidate gets more only where it can be reached, when its weight is live, no gate is against it and nothing is frozen', () => {
    holds(({ before, after, sees, verb }) => {
      const risen = after.targets.filter((target, index) => target.weight > (before.targets[index]?.weight ?? 0))
      if (risen.length === 0 || verb || !sees) return
      expect(sees.frozen).toBeUndefined()
      expect(sees.progress.some(({ last }) => last?.verdict === 'harm')).toBe(false)
      for (const { cluster } of risen) expect(sees.targets[cluster]?.reachable).toBe(true)
      if (after.weight === before.weight) return
      if (before.phase === 'preflight') {
        for (const target of Object.values(sees.targets)) {
          if (target.reachable) expect(target).toMatchObject({ candidateReady: 2, liveRevision: before.revision })
        }
        return
      }
      expect(before.phase).toBe('progressing')
      expect(after.liveAt).toBeUndefined()
      const since = before.liveAt ?? timestamp(sees.now - SECOND)
      expect(sees.now - Date.parse(since)).toBeGreaterThanOrEqual(before.liveAt === undefined ? 0 : 60 * SECOND)
    })
  })

  it('on the way back and after it every weight is 0', () => {
    holds(({ after, next }) => {
      if (!['rolling-back', 'rolled-back', 'aborted', 'superseded', 'failed'].includes(after.phase)) return
      expect(after.weight).toBe(0)
      for (const name of NAMES) {
        expect(after.targets.find(({ cluster }) => cluster === name)?.weight).toBe(0)
        expect(desiredWeights(next, name)?.v1).toBe(100)
      }
    })
  })

  it('stable is the candidate from the bake on, and the old version before it and after a way back', () => {
    holds(({ after, next }) => {
      const baking = [after.phase, after.resumeTo].includes('baking') || after.phase === 'succeeded'
      const isBack = after.cause !== undefined
      for (const name of NAMES) expect(next.targets[name]?.stable).toBe(baking && !isBack ? 'v2' : 'v1')
    })
  })

  it('weights have the sum 100, and a change of them raises the render revision, nothing else does', () => {
    holds(({ service, before, after, next }) => {
      for (const name of NAMES) {
        const weights = Object.values(desiredWeights(next, name) ?? {})
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(100)
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0)
      }
      const raised = next.renderRevision - service.renderRevision
      expect(raised).toBe(before !== after && asksRender(before, after) ? 1 : 0)
      if (raised === 1) expect(after.revision).toBe(next.renderRevision)
    })
  })

  it('who moves is always waked, who waits for a person only to look on, and the document is due with the first', () => {
    holds(({ before, after, next, now }) => {
      const waits = ['paused', 'awaiting-approval'].includes(after.phase)
      const rests = isTerminal(after.phase) || (waits && after.gates.length === 0)
      if (waits && !rests) {
        expect(next.dueAt).toBe(after.nextAttemptAt)
        return
      }
      if (rests) expect(after.nextAttemptAt).toBeUndefined()
      else if (after !== before) expect(Date.parse(after.nextAttemptAt ?? '')).toBeGreaterThanOrEqual(now)
      expect(next.dueAt).toBe(rests ? undefined : after.nextAttemptAt)
      if (isTerminal(after.phase)) expect(next.rollouts).toEqual([])
    })
  })

  it('the same sight a second time changes nothing and writes nothing', () => {
    holds(({ before, after, next, sees, now }) => {
      if (!sees || asksRender(before, after) || after.phase !== before.phase) return
      const again = decide(after, { ...sees, progress: after.progress, observedWeights: {} })
      expect(again).toBe(after)
      expect(foldRollouts(next, [again], now)).toBe(next)
    })
  })

  it('nothing that ended goes on', () => {
    holds(({ after, sees }) => {
      if (!isTerminal(after.phase)) return
      expect(after.endedAt).toBeDefined()
      if (sees) expect(decide(after, sees)).toBe(after)
    })
  })
})

describe('these walks', () => {
  it('reach every phase but superseded', () => {
    const phases = new Set<string>()
    for (const [change, path] of fc.sample(fc.tuple(shape, walk), { numRuns: 600, seed: 7 })) {
      for (const { after } of steps(change as Partial<Rollout>, path)) phases.add(after.phase)
    }
    const expected = [...TRANSITIONS.keys()].filter((phase) => phase !== 'superseded')
    expect([...phases].sort()).toEqual(expected.sort())
  })
})
