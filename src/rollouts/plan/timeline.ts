import type { CandidateTraffic } from '../../model/step.ts'
import type { Hold } from './holds.ts'
import type { Requests } from './traffic.ts'

/** What is left of a rollout, at the earliest. Times are epoch milliseconds. */
export interface Timeline {
  readonly waves: readonly WaveForecast[]
  readonly endMs: number
}

export interface WaveForecast {
  /** Index into the waves of the rollout. */
  readonly wave: number
  readonly name: string
  readonly clusters: readonly string[]
  readonly steps: readonly StepForecast[]
  /** When all requests of the wave go to the candidate, and when that has baked. */
  readonly promoteMs: number
  readonly bakedMs: number
  /** What holds the promotion back. */
  readonly holds: readonly Hold[]
}

export interface StepForecast {
  /** Index into the steps of the wave. */
  readonly step: number
  readonly what: string
  readonly traffic: CandidateTraffic
  readonly fromMs: number
  readonly untilMs: number
  /** Milliseconds for which it says that its traffic stays; 0: it only waits. */
  readonly lengthMs: number
  /** What holds its begin back. */
  readonly holds: readonly Hold[]
  /** Whom or what it waits for besides time: its end is not known. */
  readonly waitsFor: readonly string[]
  /** In the step, over all clusters. Absent: not known, or the step sets no traffic. */
  readonly requests?: Requests
  /** Milliseconds by which want of evidence makes it longer. */
  readonly stretchedMs: number
  /** `passes` also when that is not known. */
  readonly ends: 'passes' | 'pauses' | 'rolls-back'
  readonly gates: readonly GateForecast[]
}

/** What one gate can tell in one step on one cluster. */
export interface GateForecast {
  readonly gate: number
  readonly cluster: string
  /** Requests to the candidate in the step that it counts, and those after which a harm of `harm` (a bad share, 0..1)
   * would be seen, about. Absent: not known. */
  readonly expected?: number
  readonly needed?: number
  readonly harm?: number
  /** When it would be seen at the earliest; absent: not in this step, or not known. */
  readonly seenMs?: number
}
