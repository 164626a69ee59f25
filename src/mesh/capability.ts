import type { FailureCode } from '../model/failure.ts'
import type { Feature } from './features.ts'

/** What a provider makes of a feature. `nearest` is what comes closest and can be had. */
export type Capability =
  | { readonly support: 'supported' }
  | { readonly support: 'conditional'; readonly condition: string; readonly requires?: Requirement }
  | { readonly support: 'refused'; readonly code: FailureCode; readonly reason: string; readonly nearest: string }

/** What a cluster must have. What is not known of it stands in nobody's way: the dry run tells. */
export interface Requirement {
  /** Lowest bundle of the Gateway API, `1.3.0`. */
  readonly gatewayApi?: string
  /** Lowest version of the mesh, `1.30.0`. */
  readonly mesh?: string
  /** Its owner says `mesh.envoyFilters`; what is not said is not allowed. */
  readonly envoyFilters?: true
}

export type Refusal = Extract<Capability, { readonly support: 'refused' }>

/** One provider's word on every feature. */
export type CapabilityTable = Readonly<Record<Feature, Capability>>

export const SUPPORTED: Capability = { support: 'supported' }

export function conditional(condition: string, requires?: Requirement): Capability {
  return { support: 'conditional', condition, ...(requires ? { requires } : {}) }
}

/** What a mesh has no means for. */
export function never(reason: string, nearest: string): Capability {
  return { support: 'refused', code: 'UnsupportedFeature', reason, nearest }
}

/** What a mesh could do and this version does not ask of it yet. */
export function notBuilt(reason: string, nearest: string): Capability {
  return { support: 'refused', code: 'NotBuilt', reason, nearest }
}
