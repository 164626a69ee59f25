import type { Actor } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { type GateProgress, isTerminal, type Rollout, type RolloutPhase, type RolloutTarget } from '../model/rollout.ts'
import { ALL_TRAFFIC, type CandidateTraffic, NO_TRAFFIC, sameTraffic } from '../model/step.ts'
import { waveTargets } from '../model/waves.ts'
import { type RolloutEvent, targetOf } from './machine.ts'

const HISTORY = 100

/** Why something happens: who, a CamelCase reason, and words for people. */
export interface Cause {
  readonly actor: Actor
  readonly reason: string
  readonly message: string
}

/**
 * The rollout after an event: in another phase, or a step further in its own, with the transition in its history. Throws
 * on an event that its phase does not take (`MACHINE`): a defect of the caller.
 */
export function enter(
  rollout: Rollout,
  event: RolloutEvent,
  cause: Cause,
  now: number,
  changes: Partial<Rollout> = {},
): Rollout {
  const at = timestamp(now)
  const next: Rollout = { ...rollout, ...changes }
  const to = phaseAfter(next, event)
  const { nextAttemptAt: _due, ...rest } = next
  const wave = next.wave === undefined ? {} : { wave: next.wave }
  const record = { event, from: rollout.phase, to, at, ...cause, ...wave, step: next.step, weight: next.weight }
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

function phaseAfter(rollout: Rollout, event: RolloutEvent): RolloutPhase {
  const target = targetOf(rollout.phase, event)
  if (target === undefined) throw new Error(`a rollout that is ${rollout.phase} takes no ${event}`)
  if (target === 'back') return rollout.resumeTo ?? 'progressing'
  return target === 'end' ? endOf(rollout.cause) : target
}

/**
 * Asks other traffic of every target that `pick` picks; counting starts anew there when it is live. The others keep what
 * they have, and the render revision that carries it.
 */
export function askTraffic(
  rollout: Rollout,
  traffic: CandidateTraffic,
  now: number,
  pick: (cluster: string) => boolean = () => true,
): Rollout {
  const { liveAt: _live, match: _match, mirror: _mirror, ...rest } = rollout
  return {
    ...rest,
    ...traffic,
    weightSince: timestamp(now),
    progress: rollout.progress.map((progress) => (pick(progress.cluster) ? withoutStep(progress) : progress)),
    targets: rollout.targets.map((target) =>
      pick(target.cluster)
        ? withTraffic(target, traffic)
        : { ...target, revision: target.revision ?? rollout.revision },
    ),
  }
}

/** What a gate goes on with when a step begins: its counts and breaches begin anew; its evidence knows steps by itself. */
function withoutStep({ breaches: _breaches, ...progress }: GateProgress): GateProgress {
  return { ...progress, stepCandidate: { good: 0, bad: 0 }, stepStable: { good: 0, bad: 0 } }
}

/** Asks traffic of the clusters of the present wave that `pick` picks. */
export function askWave(
  rollout: Rollout,
  traffic: CandidateTraffic,
  now: number,
  pick: (cluster: string) => boolean = () => true,
): Rollout {
  const clusters = waveTargets(rollout).map(({ cluster }) => cluster)
  return askTraffic(rollout, traffic, now, (cluster) => clusters.includes(cluster) && pick(cluster))
}

function withTraffic(target: RolloutTarget, traffic: CandidateTraffic): RolloutTarget {
  const { match: _match, mirror: _mirror, revision: _revision, ...rest } = target
  const reached = traffic.match || traffic.mirror !== undefined ? 1 : 0
  const highestWeight = Math.max(target.highestWeight ?? 0, traffic.weight, reached)
  return { ...rest, ...traffic, observedWeight: null, ...(highestWeight === 0 ? {} : { highestWeight }) }
}

/** At the next step of its wave, whose traffic may be that of the step before: nothing of a step is carried into another. */
export function atStep(rollout: Rollout, step: number, now: number): Rollout {
  const { approvals: _approvals, webhook: _webhook, ...rest } = rollout
  return { ...rest, step, stepSince: timestamp(now) }
}

/** Does `after` ask for other routes than `before` did: other traffic, the same anew, or one version alone at the end? */
export function asksRender(before: Rollout | undefined, after: Rollout): boolean {
  if (!before || isTerminal(after.phase)) return true
  if (before.weightSince !== after.weightSince) return true
  return after.targets.some((target, index) => {
    const was = before.targets[index]
    return was === undefined || !sameTraffic(target, was)
  })
}

/** All requests of the present wave go to the candidate, past the steps that are left. */
export function askAll(rollout: Rollout, now: number, pick?: (cluster: string) => boolean): Rollout {
  const { approvals: _approvals, webhook: _webhook, ...rest } = askWave(rollout, ALL_TRAFFIC, now, pick)
  return rest
}

/** Starts the way back: the candidate gets nothing on any cluster, now, whatever else holds. */
export function rollBack(
  rollout: Rollout,
  event: 'harm' | 'versions-mixed' | 'gave-up' | 'abort' | 'rollback' | 'reject',
  cause: Cause,
  now: number,
): Rollout {
  return enter(askTraffic(rollout, NO_TRAFFIC, now), event, cause, now, { cause: CAUSES[event] })
}
const CAUSES = {
  harm: 'gate',
  'versions-mixed': 'gate',
  'gave-up': 'gate',
  abort: 'abort',
  rollback: 'rollback',
  reject: 'reject',
} as const

/** The phase in which a rollback ends, by its cause. */
export function endOf(cause: Rollout['cause']): 'rolled-back' | 'aborted' | 'superseded' {
  if (cause === 'abort') return 'aborted'
  return cause === 'superseded' ? 'superseded' : 'rolled-back'
}
