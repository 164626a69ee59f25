import type { Actor } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { isTerminal, type Rollout, type RolloutPhase, type RolloutTarget } from '../model/rollout.ts'

const HISTORY = 100

/**
 * Which phases each phase may go to. Everything else is a defect: `enter` throws. A phase that names itself takes steps:
 * decisions about the weight within the phase.
 */
export const TRANSITIONS: Readonly<Record<RolloutPhase, readonly RolloutPhase[]>> = {
  pending: ['preflight', 'paused', 'rolling-back'],
  preflight: ['progressing', 'promoting', 'paused', 'rolling-back'],
  progressing: ['progressing', 'paused', 'awaiting-approval', 'blind', 'promoting', 'rolling-back'],
  paused: ['pending', 'preflight', 'progressing', 'promoting', 'baking', 'rolling-back'],
  'awaiting-approval': ['progressing', 'promoting', 'paused', 'rolling-back'],
  blind: ['progressing', 'promoting', 'baking', 'paused', 'rolling-back', 'succeeded'],
  promoting: ['promoting', 'baking', 'paused', 'rolling-back'],
  baking: ['succeeded', 'blind', 'paused', 'rolling-back'],
  'rolling-back': ['rolled-back', 'aborted', 'superseded', 'failed'],
  succeeded: [],
  'rolled-back': [],
  aborted: [],
  superseded: [],
  failed: [],
}

/** Why something happens: who, a CamelCase reason, and words for people. */
export interface Cause {
  readonly actor: Actor
  readonly reason: string
  readonly message: string
}

/**
 * The rollout in another phase, or a step further in its own, with the transition in its history. Throws on a transition
 * that the table forbids.
 */
export function enter(
  rollout: Rollout,
  to: RolloutPhase,
  cause: Cause,
  now: number,
  changes: Partial<Rollout> = {},
): Rollout {
  if (!TRANSITIONS[rollout.phase].includes(to)) {
    throw new Error(`a rollout cannot go from ${rollout.phase} to ${to}`)
  }
  const at = timestamp(now)
  const next: Rollout = { ...rollout, ...changes }
  const { nextAttemptAt: _due, ...rest } = next
  const record = { from: rollout.phase, to, at, ...cause, step: next.step, weight: next.weight }
  return {
    ...rest,
    phase: to,
    reason: cause.reason,
    message: cause.message,
    phaseSince: to === rollout.phase ? rollout.phaseSince : at,
    updatedAt: at,
    history: [...rollout.history, record].slice(-HISTORY),
    ...(isTerminal(to) ? { endedAt: at } : {}),
  }
}

/** Asks another weight of every target that `raise` picks; counting starts anew when it is live. */
export function askWeight(
  rollout: Rollout,
  weight: number,
  now: number,
  raise: (cluster: string) => boolean = () => true,
): Rollout {
  const { liveAt: _live, approvedBy: _approved, ...rest } = rollout
  return {
    ...rest,
    weight,
    weightSince: timestamp(now),
    progress: rollout.progress.map((progress) => ({
      ...progress,
      stepCandidate: { good: 0, bad: 0 },
      stepStable: { good: 0, bad: 0 },
      maxE: 0,
    })),
    targets: rollout.targets.map((target) => (raise(target.cluster) ? withWeight(target, weight) : target)),
  }
}

function withWeight(target: RolloutTarget, weight: number): RolloutTarget {
  const highestWeight = Math.max(target.highestWeight ?? 0, weight)
  return { ...target, weight, observedWeight: null, ...(highestWeight === 0 ? {} : { highestWeight }) }
}

/** Does `after` ask for other routes than `before` did: other weights, the same ones anew, or one version alone at the end? */
export function asksRender(before: Rollout | undefined, after: Rollout): boolean {
  if (!before || isTerminal(after.phase)) return true
  if (before.weightSince !== after.weightSince) return true
  return after.targets.some((target, index) => target.weight !== before.targets[index]?.weight)
}

/** Starts the way back: the candidate gets nothing, now, whatever else holds. */
export function rollBack(rollout: Rollout, how: NonNullable<Rollout['cause']>, cause: Cause, now: number): Rollout {
  return enter(askWeight(rollout, 0, now), 'rolling-back', cause, now, { cause: how })
}

/** The phase in which a rollback ends, by its cause. */
export function endOf(cause: Rollout['cause']): 'rolled-back' | 'aborted' | 'superseded' {
  if (cause === 'abort') return 'aborted'
  return cause === 'superseded' ? 'superseded' : 'rolled-back'
}
