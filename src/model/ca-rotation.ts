import type { Actor } from './identity.ts'
import type { CaCertificate, CaSet } from './mesh-ca.ts'

/**
 * Phases of a rotation of a mesh CA. Of the intermediate: `requested` → (`awaiting-issuer`) → `switching` → `renewing` →
 * `succeeded`. Of the root: `requested` → `preparing` (the new root is made) → (`awaiting-issuer`) → `widening` (old and new
 * root are trusted, the old one signs) → `trusting` (until every proxy trusts both) → `switching` (the new one signs) →
 * `renewing` (until every leaf is of the new one) → `narrowing` (only the new root is trusted) → `succeeded`. The way back
 * (`direction` `back`) goes through the same phases to where it came from and ends as `aborted`, or `failed`.
 */
export const CA_PHASES = [
  'requested',
  'preparing',
  'awaiting-issuer',
  'widening',
  'trusting',
  'switching',
  'renewing',
  'narrowing',
  'succeeded',
  'aborted',
  'failed',
] as const
export type CaPhase = (typeof CA_PHASES)[number]

export interface CaRotation {
  /** Deterministic for a request with an Idempotency-Key; the tag of the secret versions that it writes. */
  readonly id: string
  readonly what: 'intermediate' | 'root'
  readonly phase: CaPhase
  readonly direction: 'on' | 'back'
  /** CamelCase for machines. */
  readonly reason: string
  /** For people; deterministic, without times. */
  readonly message: string
  readonly actor: Actor
  /** What the vault held when it began; absent: nothing (a first CA). The way back leads there. */
  readonly from?: CaSet
  /** The root that is to be: of a root rotation once it is made. `keyId` names the vault's key with its version. */
  readonly root?: { readonly certificate: CaCertificate; readonly pem: string; readonly keyId?: string }
  /** PEM, while another CA has to sign the intermediate. Its key waits in the vault as a version of the secret caKey that is disabled. */
  readonly csr?: string
  /** What another CA signed: PEM, the intermediate first; on its way to the vault. */
  readonly chain?: string
  /** What the last write of a phase brought to the vault, read back and checked. */
  readonly written?: CaSet
  /** RFC 3339: since when the vault holds what this phase wants. */
  readonly writtenAt?: string
  /** RFC 3339: since when the cluster was seen to have taken it: TTLs count from here. */
  readonly takenAt?: string
  /** A person holds it: nothing is written. */
  readonly paused?: { readonly actor: Actor; readonly at: string; readonly reason?: string }
  readonly startedAt: string
  readonly phaseSince: string
  readonly endedAt?: string
  /** Failed attempts in a row within the present phase. */
  readonly attempts: number
  /** RFC 3339: the vault was asked for something in this phase, and nobody asks again before. */
  readonly askedUntil?: string
}

export function isCaRotationOver({ phase }: Pick<CaRotation, 'phase'>): boolean {
  return phase === 'succeeded' || phase === 'aborted' || phase === 'failed'
}
