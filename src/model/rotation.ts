import type { CertificateVersion } from './certificate.ts'
import type { Actor } from './identity.ts'

/**
 * Phases of a rotation: `requested` → `creating` (its id and base version are stored before anything is asked of the
 * vault) → `awaiting-issuer` (a CSR waits for its CA) → `checking` → `awaiting-window` → `delivering` (clusters in
 * groups) → `succeeded`; or `failed` from any.
 */
export const ROTATION_PHASES = [
  'requested',
  'creating',
  'awaiting-issuer',
  'checking',
  'awaiting-window',
  'delivering',
  'succeeded',
  'failed',
] as const
export type RotationPhase = (typeof ROTATION_PHASES)[number]

/** One rotation of a certificate, live or ended. */
export interface Rotation {
  /** Deterministic for a request with an Idempotency-Key; a tag of the version that it creates in the vault. */
  readonly id: string
  readonly phase: RotationPhase
  /** CamelCase for machines. */
  readonly reason: string
  /** For people; deterministic, without times. */
  readonly message: string
  /** Who or what asked for it. */
  readonly actor: Actor
  /** The vault's newest version when it began; absent: there was none. A version that is not this one is new. */
  readonly baseVersion?: string
  /** Digest of the request that the vault showed last when it began: an operation with another one is newer. */
  readonly baseRequest?: string
  /** The version that it brings to the clusters, once it is there and checked. */
  readonly candidate?: CertificateVersion
  /** Digest of what was asked of the version (hosts, key, issuer): a later change of the spec asks for another one. */
  readonly policy: string
  /** PEM, while the version waits for its CA. */
  readonly csr?: string
  /** PEM, leaf first: what the CA signed, handed in and on its way to the vault. Public. */
  readonly chain?: string
  /** Clusters whose turn has come, in order. The rest keep the version that they hold. */
  readonly released: readonly string[]
  /** RFC 3339: when the newest group was released. */
  readonly releasedAt?: string
  readonly startedAt: string
  /** RFC 3339 of the last change of phase. */
  readonly phaseSince: string
  readonly endedAt?: string
  /** Failed attempts in a row within the present phase; sets the backoff. */
  readonly attempts: number
  /** RFC 3339: the vault was asked for something in this phase, and nobody asks again before. */
  readonly askedUntil?: string
}

export function isRotationOver({ phase }: Pick<Rotation, 'phase'>): boolean {
  return phase === 'succeeded' || phase === 'failed'
}

/** The rotation of an id, live or ended; undefined when it is no longer known. */
export function rotationById<One extends { readonly id: string }>(
  { rotation, history }: { readonly rotation?: One; readonly history: readonly One[] },
  id: unknown,
): One | undefined {
  return [...(rotation ? [rotation] : []), ...history].find((one) => one.id === id)
}
