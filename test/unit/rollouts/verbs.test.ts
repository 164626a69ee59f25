import { describe, expect, it } from 'vitest'
import type { Rollout, RolloutPhase } from '../../../src/model/rollout.ts'
import { applyVerb, VERBS, type Verb } from '../../../src/rollouts/verbs.ts'
import { aRollout, aTarget, later, MINUTE, PERSON, T0 } from './fixture.ts'

const call = (verb: Verb, note = verb === 'break-glass' ? 'the fix of an outage' : '') => ({
  verb,
  note,
  actor: PERSON,
  now: T0 + MINUTE,
})

/**
 * What each verb makes of each phase: the phase it leads to, `same` when its effect is there already, `409` when the phase
 * does not take it.
 */
const TABLE: Readonly<Record<RolloutPhase, Readonly<Record<Verb, RolloutPhase | 'same' | '409'>>>> = {
  pending: row('409', 'paused', 'same', '409', '409', 'rolling-back', 'rolling-back', 'pending'),
  preflight: row('promoting', 'paused', 'same', '409', '409', 'rolling-back', 'rolling-back', 'preflight'),
  progressing: row('promoting', 'paused', 'same', '409', '409', 'rolling-back', 'rolling-back', 'progressing'),
  paused: row('promoting', 'same', 'progressing', '409', '409', 'rolling-back', 'rolling-back', 'paused'),
  'awaiting-approval': row(
    'promoting',
    'paused',
    '409',
    'progressing',
    'rolling-back',
    'rolling-back',
    'rolling-back',
    'awaiting-approval',
  ),
  blind: row('promoting', 'paused', 'same', '409', '409', 'rolling-back', 'rolling-back', 'blind'),
  promoting: row('same', 'paused', 'same', '409', '409', 'rolling-back', 'rolling-back', 'promoting'),
  baking: row('succeeded', 'paused', 'same', '409', '409', 'rolling-back', 'rolling-back', 'baking'),
  'rolling-back': row('409', '409', '409', '409', 'same', 'same', 'same', '409'),
  succeeded: row('same', '409', '409', '409', '409', '409', '409', '409'),
  'rolled-back': row('409', '409', '409', '409', 'same', '409', 'same', '409'),
  aborted: row('409', '409', '409', '409', '409', 'same', '409', '409'),
  superseded: row('409', '409', '409', '409', '409', '409', '409', '409'),
  failed: row('409', '409', '409', '409', '409', '409', '409', '409'),
}

function row(...effects: readonly (RolloutPhase | 'same' | '409')[]) {
  return Object.fromEntries(VERBS.map((verb, index) => [verb, effects[index] ?? '409'])) as Readonly<
    Record<Verb, RolloutPhase | 'same' | '409'>
  >
}

describe('every verb in every phase', () => {
  const cases = Object.entries(TABLE).flatMap(([phase, effects]) =>
    Object.entries(effects).map(([verb, effect]) => ({ phase: phase as RolloutPhase, verb: verb as Verb, effect })),
  )
  it.each(cases)('$verb in $phase: $effect', ({ phase, verb, effect }) => {
    const rollout = aRollout(phase)
    const result = applyVerb(rollout, call(verb))
    if (effect === '409') {
      expect(result).toMatchObject({ ok: false, failure: { code: 'RolloutState' } })
      if (!result.ok) expect(result.failure.detail).toContain(`is ${phase}`)
      return
    }
    if (effect === 'same') return expect(result).toEqual({ ok: true, value: rollout })
    expect(result).toMatchObject({ ok: true, value: { phase: effect } })
    if (effect !== phase) expect(result).toMatchObject({ value: { phaseSince: later(MINUTE) } })
    const value = afterVerb(result)
    expect(value.history.at(-1)).toMatchObject({ from: phase, to: effect, actor: PERSON, at: later(MINUTE) })
    // Whoever sends it again finds its effect.
    expect(applyVerb(value, call(verb))).toEqual({ ok: true, value })
  })
})

describe('promote', () => {
  it('gives everything to the candidate on every cluster, past all steps', () => {
    const rollout = afterVerb(applyVerb(aRollout('progressing'), call('promote', 'hotfix')))
    expect(rollout).toMatchObject({
      phase: 'promoting',
      weight: 100,
      weightSince: later(MINUTE),
      reason: 'PromotedByHand',
      message: 'Ada promoted: hotfix',
      targets: [
        { weight: 100, highestWeight: 100 },
        { weight: 100, highestWeight: 100 },
      ],
    })
    expect(rollout).not.toHaveProperty('liveAt')
  })

  it.each([
    ['progressing', {}, '409'],
    ['awaiting-approval', {}, '409'],
    ['paused', { resumeTo: 'progressing' }, '409'],
    ['progressing', { approvals: [PERSON] }, 'promoting'],
    ['progressing', { step: 1 }, 'promoting'],
  ] as const)('in %s with %o answers %s where its first step asks for an approver', (phase, change, effect) => {
    const [first, ...others] = aRollout(phase).steps
    if (!first) throw new Error('the rollout has no steps')
    const steps = [{ ...first, approval: true as const }, ...others]
    const result = applyVerb(aRollout(phase, { step: 0, steps, ...change }), call('promote'))
    if (effect === '409') expect(result).toMatchObject({ ok: false, failure: { code: 'RolloutState' } })
    else expect(result).toMatchObject({ ok: true, value: { phase: effect } })
  })

  it('forgets where a pause came from', () => {
    expect(afterVerb(applyVerb(aRollout('paused'), call('promote')))).not.toHaveProperty('resumeTo')
  })

  it('ends a bake also while it cannot see', () => {
    const rollout = aRollout('blind', { resumeTo: 'baking', weight: 100 })
    expect(applyVerb(rollout, call('promote'))).toMatchObject({ ok: true, value: { phase: 'succeeded' } })
  })

  it.each(['pending', 'baking'] as const)('is refused in a pause from %s', (resumeTo) => {
    const result = applyVerb(aRollout('paused', { resumeTo }), call('promote'))
    expect(result).toMatchObject({ ok: false, failure: { code: 'RolloutState' } })
    if (!result.ok) expect(result.failure.detail).toContain(`paused, from ${resumeTo}`)
  })
})

describe('pause and resume', () => {
  const moving = ['pending', 'preflight', 'progressing', 'promoting', 'baking'] as const
  it.each(moving)('lead back to %s', (phase) => {
    const paused = afterVerb(applyVerb({ ...aRollout(phase), nextAttemptAt: later(0) }, call('pause')))
    expect(paused).toMatchObject({ phase: 'paused', resumeTo: phase })
    expect(paused).not.toHaveProperty('nextAttemptAt')
    const resumed = afterVerb(applyVerb(paused, call('resume')))
    // Before the first step all is looked at anew.
    const isOld = phase === 'pending' || phase === 'preflight'
    expect(resumed).toMatchObject({ phase, nextAttemptAt: later(MINUTE), weightSince: later(isOld ? MINUTE : 0) })
    expect(resumed).not.toHaveProperty('resumeTo')
  })

  it('lead from blind and from an approval back to the step, where both are asked for again', () => {
    for (const phase of ['blind', 'awaiting-approval'] as const) {
      expect(afterVerb(applyVerb(aRollout(phase), call('pause')))).toMatchObject({ resumeTo: 'progressing' })
    }
    const baking = aRollout('blind', { resumeTo: 'baking' })
    expect(afterVerb(applyVerb(baking, call('pause')))).toMatchObject({ resumeTo: 'baking' })
  })

  it('keep an approval', () => {
    const approved = aRollout('progressing', { approvals: [PERSON] })
    const resumed = afterVerb(applyVerb(afterVerb(applyVerb(approved, call('pause'))), call('resume')))
    expect(resumed).toMatchObject({ approvals: [PERSON] })
  })

  it('ask the same weights anew after another hand changed them, and raise no cluster that was behind', () => {
    const targets = [aTarget('east', 10, { highestWeight: 10 }), aTarget('west', 5, { highestWeight: 5 })]
    const paused = aRollout('paused', { reason: 'WeightChanged', targets })
    const resumed = afterVerb(applyVerb(paused, call('resume')))
    expect(resumed).toMatchObject({ weight: 10, weightSince: later(MINUTE), targets: [{ weight: 10 }, { weight: 5 }] })
    expect(resumed).not.toHaveProperty('liveAt')
  })
})

describe('the way back', () => {
  it.each([
    ['abort', 'abort', 'Aborted'],
    ['rollback', 'rollback', 'RolledBack'],
    ['reject', 'reject', 'Rejected'],
  ] as const)('of %s takes all from the candidate', (verb, cause, reason) => {
    const rollout = afterVerb(applyVerb(aRollout('awaiting-approval'), call(verb)))
    expect(rollout).toMatchObject({ cause, reason, weight: 0, targets: [{ weight: 0 }, { weight: 0 }] })
  })

  it('is not turned by a second one', () => {
    const rollout = afterVerb(applyVerb(aRollout('progressing'), call('abort')))
    expect(afterVerb(applyVerb(rollout, call('rollback')))).toBe(rollout)
  })
})

describe('an approval', () => {
  it('is the approver’s, and is there for one step alone', () => {
    const rollout = afterVerb(applyVerb(aRollout('awaiting-approval'), call('approve', 'looks good')))
    expect(rollout).toMatchObject({
      approvals: [PERSON],
      nextAttemptAt: later(MINUTE),
      message: 'Ada approved the step: looks good',
    })
    expect(afterVerb(applyVerb(rollout, call('approve')))).toBe(rollout)
    expect(applyVerb(aRollout('progressing'), call('approve')).ok).toBe(false)
  })
})

function afterVerb(result: ReturnType<typeof applyVerb>): Rollout {
  if (!result.ok) throw new Error(result.failure.detail)
  return result.value
}

describe('approvals by several', () => {
  const steps = [{ approval: { quorum: 2 } }, { weight: 50, for: '1m' }] as const
  const [ada, bo] = [PERSON, { kind: 'person', id: 'p2', name: 'Bo' } as const]
  const by = (actor: typeof ada | typeof bo) => ({ ...call('approve'), actor })

  it('wait for the quorum, count nobody twice, and go on with the last', () => {
    const first = afterVerb(applyVerb(aRollout('awaiting-approval', { steps }), by(ada)))
    expect(first).toMatchObject({ phase: 'awaiting-approval', approvals: [ada], phaseSince: later(0) })
    expect(first.message).toBe('Ada approved the step, 1 more needed')
    expect(afterVerb(applyVerb(first, by(ada)))).toBe(first)
    const second = afterVerb(applyVerb(first, by(bo)))
    expect(second).toMatchObject({ phase: 'progressing', approvals: [ada, bo] })
  })

  it('are not for who started the rollout, where duties are separate', () => {
    const rollout = aRollout('awaiting-approval', { steps, separateDuties: true, actor: ada })
    expect(applyVerb(rollout, by(ada))).toMatchObject({ ok: false, failure: { code: 'SeparateDuties' } })
    expect(afterVerb(applyVerb(rollout, by(bo)))).toMatchObject({ approvals: [bo] })
  })
})

describe('break-glass', () => {
  it('keeps who, why and when, and is done once', () => {
    const broken = afterVerb(applyVerb(aRollout('pending'), call('break-glass', 'outage 42')))
    expect(broken).toMatchObject({
      phase: 'pending',
      breakGlass: { actor: PERSON, reason: 'outage 42', at: later(MINUTE) },
      nextAttemptAt: later(MINUTE),
    })
    expect(afterVerb(applyVerb(broken, call('break-glass', 'again')))).toBe(broken)
  })

  it('needs words', () => {
    expect(applyVerb(aRollout('pending'), call('break-glass', ' '))).toMatchObject({
      failure: { code: 'InvalidCombination', errors: [{ pointer: '/note' }] },
    })
  })
})

describe('promote in the bake of a wave', () => {
  it('ends it, and does nothing once it is over', () => {
    const baking = aRollout('promoting', { bakeUntil: later(10 * MINUTE) })
    const over = afterVerb(applyVerb(baking, call('promote')))
    expect(over).toMatchObject({ phase: 'promoting', bakeUntil: later(MINUTE), nextAttemptAt: later(MINUTE) })
    expect(afterVerb(applyVerb(over, call('promote')))).toBe(over)
  })
})

describe('promote outside a change window', () => {
  // T0 is a Friday morning.
  const windows = [{ cron: '0 22 * * *', for: '1h', timeZone: 'UTC' }]

  it('is refused, with the way out', () => {
    const refused = applyVerb(aRollout('progressing', { windows }), call('promote'))
    expect(refused).toMatchObject({
      ok: false,
      failure: { code: 'RolloutState', hint: expect.stringContaining('glass') },
    })
    if (!refused.ok) expect(refused.failure.detail).toContain('the next opens at 2026-05-01T22:00:00.000Z')
  })

  it('is done once the glass is broken', () => {
    const breakGlass = { actor: PERSON, reason: 'outage', at: later(0) }
    expect(applyVerb(aRollout('progressing', { windows, breakGlass }), call('promote')).ok).toBe(true)
  })
})

describe('resume after another hand', () => {
  it('asks the clusters of earlier waves again too', () => {
    const targets = [
      aTarget('east', 100, { highestWeight: 100, revision: 90 }),
      aTarget('west', 10, { highestWeight: 10 }),
    ]
    const waves = [
      { name: 'a', clusters: ['east'], steps: [], bakeMs: 0 },
      { name: 'b', clusters: ['west'], steps: [{ weight: 10, for: '1m' }], bakeMs: 0 },
    ]
    const paused = aRollout('paused', { reason: 'WeightChanged', waves, wave: 1, targets })
    const resumed = afterVerb(applyVerb(paused, call('resume')))
    expect(resumed.targets.map((target) => [target.weight, target.revision])).toEqual([
      [100, undefined],
      [10, undefined],
    ])
  })

  it('does so also when the glass was broken in between', () => {
    const broken = afterVerb(applyVerb(aRollout('paused', { reason: 'WeightChanged' }), call('break-glass', 'outage')))
    expect(broken).toMatchObject({ reason: 'WeightChanged' })
    expect(afterVerb(applyVerb(broken, call('resume')))).not.toHaveProperty('liveAt')
  })
})
