import { timestamp } from '../../../src/model/names.ts'
import type { GateProgress, GateVerdict, Rollout, RolloutPhase, RolloutTarget } from '../../../src/model/rollout.ts'
import type { Observations, TargetObservation } from '../../../src/rollouts/observations.ts'

/** When the rollouts of these tests took their present weight. */
export const T0 = Date.parse('2026-05-01T10:00:00.000Z')
export const SECOND = 1000
export const MINUTE = 60_000
export const PERSON = { kind: 'person', id: 'p1', name: 'Ada' } as const

/** `later(5 * SECOND)`: RFC 3339 of a time after T0. */
export function later(ms: number): string {
  return timestamp(T0 + ms)
}

const REVISION = 102

const WEIGHTS: Readonly<Partial<Record<RolloutPhase, number>>> = {
  pending: 0,
  preflight: 0,
  promoting: 100,
  baking: 100,
  succeeded: 100,
  'rolling-back': 0,
  'rolled-back': 0,
  aborted: 0,
  superseded: 0,
  failed: 0,
}

/**
 * A rollout from v1 to v2 on east and west as it is in a phase: steps 10 % and 50 % of a minute, one gate, delay and
 * look as in `seen`. Its weight was asked at T0 and, where the phase says so, is live since T0 + 5 s.
 */
export function aRollout(phase: RolloutPhase, change: Partial<Rollout> = {}): Rollout {
  const weight = change.weight ?? WEIGHTS[phase] ?? 10
  const begun = phase !== 'pending' && phase !== 'preflight'
  const isLive = ['progressing', 'blind', 'baking', 'awaiting-approval', 'paused'].includes(phase)
  return {
    id: 'shop.web.k3',
    phase,
    reason: 'Test',
    message: 'as the test has it',
    actor: PERSON,
    candidate: 'v2',
    targets: ['east', 'west'].map((cluster) => aTarget(cluster, weight, begun ? { highestWeight: weight || 10 } : {})),
    strategy: 'default',
    steps: [
      { weight: 10, for: '1m' },
      { weight: 50, for: '1m' },
    ],
    gates: [{ kind: 'errors', limitPercent: 1 }],
    bakeMs: 10 * MINUTE,
    patienceMs: 30 * MINUTE,
    readyTimeoutMs: 10 * MINUTE,
    onBlind: 'pause',
    alpha: 0.01,
    minEvents: 50,
    step: begun ? 0 : -1,
    weight,
    revision: REVISION,
    phaseSince: later(0),
    weightSince: later(0),
    ...(isLive ? { liveAt: later(5 * SECOND) } : {}),
    ...(phase === 'blind' || phase === 'paused' ? { resumeTo: 'progressing' as const } : {}),
    ...(phase === 'blind' ? { progress: bothClusters({ last: aVerdict('blind') }) } : { progress: [] }),
    ...(phase === 'baking' ? { bakeUntil: later(10 * MINUTE + 5 * SECOND) } : {}),
    ...(phase === 'rolling-back' ? { cause: 'abort' as const } : {}),
    warnings: [],
    history: [],
    startedAt: later(-MINUTE),
    updatedAt: later(0),
    ...change,
  }
}

export function aTarget(cluster: string, weight: number, change: Partial<RolloutTarget> = {}): RolloutTarget {
  return { cluster, stable: 'v1', candidate: 'v2', weight, observedWeight: null, ...change }
}

/** What a pass two minutes after T0 sees when all is well: both clusters reached, live, ready. */
export function seen(rollout: Rollout, change: Partial<Observations> = {}): Observations {
  return {
    now: T0 + 2 * MINUTE,
    targets: { east: onCluster(), west: onCluster() },
    slot: true,
    delayMs: 10 * SECOND,
    everyMs: 5 * SECOND,
    progress: rollout.progress,
    observedWeights: {},
    ...change,
  }
}

export function onCluster(change: Partial<TargetObservation> = {}): TargetObservation {
  return {
    liveRevision: REVISION,
    liveAt: T0 + 5 * SECOND,
    reachable: true,
    stableReady: 2,
    candidateReady: 2,
    weightChanged: false,
    ...change,
  }
}

/** The progress of gate 0 on both clusters, looked at a minute after T0. */
export function bothClusters(change: Partial<GateProgress> = {}): readonly GateProgress[] {
  return ['east', 'west'].map((cluster) => aProgress(cluster, change))
}

export function aProgress(cluster: string, change: Partial<GateProgress> = {}): GateProgress {
  const counts = { good: 1000, bad: 0 }
  return {
    gate: 0,
    cluster,
    cursorMs: T0 + 50 * SECOND,
    candidate: counts,
    stable: counts,
    stepCandidate: counts,
    stepStable: counts,
    maxE: 0,
    last: aVerdict('safe'),
    lookedAt: later(MINUTE),
    ...change,
  }
}

const REASONS = { harm: 'LimitExceeded', safe: 'WithinLimit', undecided: 'NotClearYet', blind: 'NoData' } as const

export function aVerdict(verdict: keyof typeof REASONS, change: Partial<GateVerdict> = {}): GateVerdict {
  return {
    verdict,
    reason: REASONS[verdict],
    explanation: `the gate says ${verdict}`,
    candidate: { good: 1000, bad: 0 },
    stable: { good: 1000, bad: 0 },
    eValue: 1,
    pValue: 1,
    interval: [0, 1],
    alpha: 0.01,
    ...change,
  }
}
