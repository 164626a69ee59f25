import type { CandidateTraffic } from '../../model/step.ts'

/** What one gate counts on one cluster, of both versions together. */
export interface GateTraffic {
  readonly perMinute: number
  /** Bad share in 0..1. */
  readonly bad: number
}

/** The requests that a service gets on one cluster. */
export interface ClusterTraffic {
  /** Absent: not known. */
  readonly perMinute?: number
  /** By index of the gate, as far as it is known. */
  readonly gates: Readonly<Record<number, GateTraffic>>
  /** Why it is not known. */
  readonly why?: string
}

/** By cluster. */
export type ServiceTraffic = Readonly<Record<string, ClusterTraffic>>

/** Requests to each version: in a time, or a millisecond. */
export interface Requests {
  readonly candidate: number
  readonly stable: number
}

/**
 * Requests to each version, of one, when the candidate has this traffic; copies are requests beside. Undefined: it depends on
 * how many match.
 */
export function sharesOf({ weight, match, mirror }: CandidateTraffic): Requests | undefined {
  if (mirror !== undefined) return { candidate: mirror / 100, stable: 1 }
  if (match && weight === 0) return undefined
  return { candidate: weight / 100, stable: (100 - weight) / 100 }
}

/** So many times as many requests. */
export function times({ candidate, stable }: Requests, factor: number): Requests {
  return { candidate: candidate * factor, stable: stable * factor }
}
