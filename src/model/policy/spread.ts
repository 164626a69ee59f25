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

/** How many services and placements a policy holds for, and how many placements have yet to change. */
export interface PolicyReach {
  readonly services: number
  readonly placements: number
  readonly left: number
}
