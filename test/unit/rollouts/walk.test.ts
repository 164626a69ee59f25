import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { desiredWeights } from '../../../src/model/desired-weights.ts'
import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Actor } from '../../../src/model/identity.ts'
import { timestamp } from '../../../src/model/names.ts'
import { isTerminal, type Rollout, type Verdict, type WebhookProgress } from '../../../src/model/rollout.ts'
import { quorumOf } from '../../../src/model/step.ts'
import { isExposed, presentStep, waveTargets } from '../../../src/model/waves.ts'
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
const BO: Actor = { kind: 'person', id: 'p2', name: 'Bo' }

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
  /** A change window is shut. */
  readonly closed: boolean
  readonly slot: boolean
  readonly webhook: WebhookProgress['outcome'] | null
  readonly look: { readonly verdicts: readonly Verdict[]; readonly events: number } | null
}
/** A verb, so much later. */
interface Act {
  readonly kind: 'verb'
  readonly pass: number
  readonly verb: Verb
  readonly actor: Actor
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
  closed: fc.constantFrom(false, false, false, true),
  slot: fc.constantFrom(true, true, false),
  webhook: fc.constantFrom(null, 'passed', 'passed', 'waiting', 'failed', 'refused'),
  look: fc.option(fc.record({ verdicts: fc.tuple(verdict, verdict), events: fc.constantFrom(0, 20, 500) })),
})
const verb: fc.Arbitrary<Act> = fc.record({
  kind: fc.constant('verb'),
  pass: fc.constantFrom(0, SECOND, MINUTE),
  verb: fc.constantFrom(...VERBS),
  actor: fc.constantFrom<Actor>(PERSON, BO),
})
/** All is well: so that walks get anywhere. */
const fine: fc.Arbitrary<Sight> = fc.record({
  kind: fc.constant('sight'),
  pass: fc.constantFrom(20 * SECOND, 75 * SECOND),
  clusters: fc.constant([FINE(), FINE()]),
  frozen: fc.constant(undefined),
  closed: fc.constant(false),
  slot: fc.constant(true),
  webhook: fc.constant('passed' as const),
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
    [
      { match: [{ headers: { 'x-preview': { exact: 'yes' } } }], for: '1m' },
      { webhook: { url: 'https://ci.example.com/', retries: 1 }, onTimeout: 'proceed' },
      { weight: 10, for: '1m' },
      { hold: '1m' },
      { weight: 50, for: '1m' },
      { approval: { quorum: 2 }, timeout: '30m', onTimeout: 'proceed' },
    ],
    [
      { mirror: 100, for: '1m' },
      { analysis: true, timeout: '10m', onTimeout: 'proceed' },
      { weight: 50, for: '1m', timeout: '5m', onTimeout: 'rollback' },
    ],
  ),
  waves: fc.constantFrom(undefined, undefined, [
    { name: 'first', clusters: ['east'], steps: [{ weight: 50, for: '1m' }], bakeMs: MINUTE },
    { name: 'rest', clusters: ['west'], steps: [{ weight: 20, for: '1m' }], bakeMs: 0 },
  ]),
  onHarm: fc.constantFrom('rollback', 'freeze' as const),
  separateDuties: fc.boolean(),
})

function FINE(): OnOne {
  const fields = { live: true, reachable: true, candidateReady: 2, stableReady: 2, weightChanged: false, gone: false }
  return { ...fields, obstacle: undefined }
}

function observe(
  rollout: Rollout,
  { clusters, frozen, closed, slot, webhook, look }: Sight,
  now: number,
): Observations {
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
    !['pending', 'rolling-back'].includes(rollout.phase)
  const progress = looks
    ? rollout.targets.filter(isExposed).map(({ cluster }, index) =>
        aProgress(cluster, {
          last: aVerdict(look.verdicts[index] ?? 'safe'),
          // What was counted in a step stays counted.
          stepCandidate: { good: Math.max(look.events, countedOn(rollout, cluster)), bad: 0 },
          lookedAt: timestamp(now),
        }),
      )
    : rollout.progress
  const asks = webhook !== null && presentStep(rollout)?.webhook !== undefined && rollout.liveAt !== undefined
  const attempts = (rollout.webhook?.attempts ?? 0) + 1
  return seen(rollout, {
    now,
    targets,
    slot,
    progress,
    ...(frozen === undefined ? {} : { frozen }),
    ...(closed ? { closed: 'The next opens later.' } : {}),
    ...(asks
      ? {
          webhook: {
            outcome: webhook,
            attempts,
            calledAt: timestamp(now),
            failures: attempts,
            detail: 'as the test says',
          },
        }
      : {}),
  })
}

function countedOn({ progress }: Rollout, cluster: string): number {
  return progress.find((known) => known.cluster === cluster)?.stepCandidate.good ?? 0
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
      step.kind === 'verb' ? applyVerb(before, { verb: step.verb, note: 'because', actor: step.actor, now }) : undefined
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
      expect(sees.closed).toBeUndefined()
      const counts = (cluster: string) => before.targets.find((target) => target.cluster === cluster)?.out === undefined
      expect(sees.progress.some(({ last, cluster }) => last?.verdict === 'harm' && counts(cluster))).toBe(false)
      for (const { cluster } of risen) expect(sees.targets[cluster]?.reachable).toBe(true)
      if (after.weight === before.weight) return
      if (before.phase === 'preflight') {
        for (const { cluster } of waveTargets(before)) {
          const target = sees.targets[cluster]
          if (target?.reachable) expect(target).toMatchObject({ candidateReady: 2, liveRevision: before.revision })
        }
        return
      }
      expect(['progressing', 'awaiting-approval']).toContain(before.phase)
      expect(after.liveAt).toBeUndefined()
      const since = before.liveAt ?? timestamp(sees.now - SECOND)
      expect(sees.now - Date.parse(since)).toBeGreaterThanOrEqual(before.liveAt === undefined ? 0 : 60 * SECOND)
    })
  })

  it('a weight never rises without looks since the last rise that let it pass, the schedule where no gate is, or a person', () => {
    holds(({ before, after, sees, verb }) => {
      if (verb || !sees || after.weight <= before.weight || before.gates.length === 0) return
      // To the first share of a wave nothing can have been seen: nobody had the candidate.
      if (before.phase === 'preflight' || !waveTargets(before).some(isExposed)) return
      const looks = sees.progress.filter(({ cluster }) =>
        waveTargets(before).some((target) => target.cluster === cluster),
      )
      expect(looks.length).toBeGreaterThan(0)
      for (const { last, lookedAt } of looks) {
        expect(['safe', 'undecided']).toContain(last?.verdict)
        expect(Date.parse(lookedAt ?? '')).toBeGreaterThan(Date.parse(before.weightSince))
      }
      const events = looks.reduce((sum, { stepCandidate }) => sum + stepCandidate.good, 0)
      expect(events).toBeGreaterThanOrEqual(before.minEvents)
    })
  })

  it('a step that asks for approvers is passed by as many as it asks for, or when its time is over', () => {
    holds(({ before, after }) => {
      const step = presentStep(before)
      if (!step || quorumOf(step) === 0 || before.wave !== after.wave) return
      if (after.step <= before.step && after.phase !== 'promoting') return
      if (before.phase === 'promoting' || before.resumeTo === 'promoting') return
      const expired = after.history.at(-1)?.actor.kind === 'schedule'
      expect(expired || (before.approvals ?? []).length >= quorumOf(step)).toBe(true)
    })
  })

  it('who started it approves nothing where duties are separate', () => {
    holds(({ before, after }) => {
      if (!before.separateDuties) return
      expect((after.approvals ?? []).some(({ id }) => id === before.actor.id)).toBe(false)
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
      for (const { cluster, out } of after.targets) {
        expect(next.targets[cluster]?.stable).toBe(baking && !isBack && !out ? 'v2' : 'v1')
      }
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
      // A step that only waits may be over as soon as it begins: whoever takes one looks again at once.
      if (!sees || asksRender(before, after) || after.history.length !== before.history.length) return
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
