import type { Counts, GateProgress, WebhookProgress } from '../model/rollout.ts'

/** What one pass sees of a rollout's clusters and gates, gathered once before the decision. */
export interface Observations {
  /** Epoch milliseconds. */
  readonly now: number
  readonly targets: Readonly<Record<string, TargetObservation>>
  /** Name of a freeze that forbids rises on one of the clusters. */
  readonly frozen?: string
  /** No change window is open: when the next opens, as a sentence. */
  readonly closed?: string
  /** Epoch milliseconds of that. */
  readonly opensAt?: number
  /** What the call of a webhook step came to in this pass. */
  readonly webhook?: WebhookProgress
  /** What people should know before the first step. Gathered only before it. */
  readonly warnings?: readonly string[]
  /** A place is free under the caps. Asked only while pending. */
  readonly slot: boolean
  /** How late samples come and how often gates look, the slowest of the clusters. */
  readonly delayMs: number
  readonly everyMs: number
  /** Gates after this pass's look; those of before where no look was due. */
  readonly progress: readonly GateProgress[]
  /** Per cent of requests that reached the candidate in this pass's windows, by cluster. */
  readonly observedWeights: Readonly<Record<string, number | null>>
}

/** One cluster as its placement tells. */
export interface TargetObservation {
  readonly liveRevision: number
  /** Epoch milliseconds; when `liveRevision` was live, settle time included. */
  readonly liveAt?: number
  readonly reachable: boolean
  /** The service is not to be there any more, or the cluster is not registered: nothing is waited for. */
  readonly gone?: boolean
  readonly stableReady: number
  readonly candidateReady: number
  /** What stands in the way, by the reason of a condition: `OwnedByOthers`, `FreezeActive`, `WaitingForEndpoints`… */
  readonly obstacle?: { readonly reason: string; readonly message: string }
  /** What the route bears there: per cents of the candidate (1 at least while requests or copies reach it otherwise), the render revision that asked for them, and when (epoch ms,
   * perhaps yet to come) proxies have taken them. Absent: not what was asked last, or not known. */
  readonly written?: { readonly candidate: number; readonly revision: number; readonly liveAt: number }
  /** Selectors that mix up the two versions, as seen for this rollout before its first step: which, and the way out. */
  readonly overlap?: string
  /** Another hand changed a weight since the rollout asked for its own last. */
  readonly weightChanged: boolean
}

export const NO_COUNTS: Counts = { good: 0, bad: 0 }

export function addCounts(a: Counts, b: Counts): Counts {
  return { good: a.good + b.good, bad: a.bad + b.bad }
}

export function total(counts: Counts): number {
  return counts.good + counts.bad
}
