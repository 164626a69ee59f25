import type { Counts } from './rollout.ts'

/**
 * What a gate has counted on a cluster, kept small whatever the number of looks: requests by stage, the minute that is
 * under way, and running sums from which bursts are estimated.
 */
export interface GateEvidence {
  readonly stages: readonly EvidenceStage[]
  /** What came since the last minute was closed. */
  readonly open?: EvidenceMinute
  readonly bursts: BurstSums
}

/** Requests of both versions in one step while the candidate's share of them was about the same. */
export interface EvidenceStage extends VersionCounts {
  /** The step of its wave, from 0; the number of steps for the time after them. */
  readonly part: number
  /** Of these, the requests of minutes in which both versions failed far more than before. Absent: none. */
  readonly common?: VersionCounts
  /** Bad events [of the candidate, of stable], as they weigh at each dispersion of `DISPERSIONS`. */
  readonly weighed: readonly (readonly [number, number])[]
}

export interface VersionCounts {
  readonly candidate: Counts
  readonly stable: Counts
}

/** The counts of at least a minute, in milliseconds; of one look where looks are rarer. */
export interface EvidenceMinute extends VersionCounts {
  readonly part: number
  readonly spanMs: number
}

/** How much the bad share of one minute differs from that of the next, beside what chance alone would do. */
export interface BurstSums {
  /** Squared differences over their variance if every event came alone, each weighed by how much it can tell. */
  readonly sum: number
  /** The sum of these weights. */
  readonly weight: number
  /** The last minute, for the next difference. */
  readonly last?: VersionCounts
}
