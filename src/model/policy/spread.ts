import type { Condition } from '../condition.ts'
import type { PolicyLayer } from './effective-policy.ts'

/** How far a shared policy has come on its way to services. One placement is one service on one cluster. */
export interface Spread {
  /** Of the policy: what is being spread. */
  readonly generation: number
  /** Placements that had yet to change when it began. */
  readonly total: number
  /** Waves let go so far. */
  readonly wave: number
  /** The last wave. Written before its services are: a crash in between loses nothing. */
  readonly released: readonly ReleasedPlacement[]
  /** RFC 3339 of the last wave. */
  readonly waveAt: string
}

export interface ReleasedPlacement {
  readonly service: string
  readonly cluster: string
  /** Was it live before? Only then it can say whether the change did it harm, and is waited for. */
  readonly awaited: boolean
}

/**
 * How far a change of a service's own words has come on its way from cluster to cluster. It stands in the service's document, and so
 * do the words that hold where it has yet to come: what a cluster is to have follows from that document alone.
 */
export interface ServiceSpread {
  /** Generation of the service whose words are brought. */
  readonly goal: number
  readonly held: readonly HeldWords[]
  /**
   * The last wave, with the render revision that brings it. Of an older goal until the first wave of this one: there it is seen where
   * the older change did harm. Absent: there was none.
   */
  readonly progress?: Spread & { readonly revision: number }
  /** `Applied`: what it waits for. */
  readonly applied: Condition
  /** RFC 3339 of the next look. */
  readonly lookAt: string
}

/** What a service said before, where a change of it has yet to come. */
export interface HeldWords {
  /** The last generation of the service that said so. */
  readonly generation: number
  readonly clusters: readonly string[]
  /** Its own parts and, over them, the overrides that held there. */
  readonly words: readonly PolicyLayer[]
}

/** How many services and placements a policy holds for, and how many placements have yet to change. */
export interface PolicyReach {
  readonly services: number
  readonly placements: number
  readonly left: number
}
