import type { Actor } from './identity.ts'
import type { CaCertificate, CaSet, MeshCaSpec } from './mesh-ca.ts'
import { durationMs } from './names.ts'
import type { RestartIntent, RestartProgress } from './restarts.ts'
import type { TrustState } from './trust.ts'

/**
 * Phases of a rotation of a mesh CA. Of the intermediate: `requested` → `switching` → `renewing` → `succeeded`. Of the root:
 * `requested` → `preparing` (the new root is made) → `widening` (old and new root are trusted, the old one signs) →
 * `trusting` (until every proxy trusts both) → `switching` (the new one signs) → `renewing` (until every leaf is of the new
 * one) → `narrowing` (only the new root is trusted) → `succeeded`. Where another CA signs, `preparing` makes a CSR and
 * `awaiting-issuer` waits for what it signed, before anything is written. A first CA goes from there to `switching` and is
 * done. The way back (`direction` `back`) undoes by the same phases what was written and ends as `aborted`; what fails
 * before anything is written ends as `failed`.
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
  /**
   * What the vault held when it began; absent: nothing (a first CA). The way back leads there. Of Linkerd that is taken over:
   * what the cluster held (`isTakeover`).
   */
  readonly from?: CaSet
  /** The root that is to be: of a root rotation once it is made. `keyId` names the vault's key with its version. */
  readonly root?: { readonly certificate: CaCertificate; readonly pem: string; readonly keyId?: string }
  /** PEM, while another CA has to sign the intermediate. Its key waits in the vault, in a secret of its own (`pendingKeyName`). */
  readonly csr?: string
  /** What another CA signed: PEM, the intermediate first; on its way to the vault. */
  readonly chain?: string
  /** What the last write of a phase brought to the vault, read back and checked. */
  readonly written?: CaSet
  /** RFC 3339: since when the vault holds what this phase wants. */
  readonly writtenAt?: string
  /** RFC 3339: since when the cluster was seen to have taken it: TTLs count from here. */
  readonly takenAt?: string
  /** Workloads are to be restarted for it, now; absent as soon as they may not. */
  readonly restarting?: RestartIntent
  /** How far that is in this phase, as was seen last. */
  readonly restarts?: RestartProgress
  /** A person holds it: nothing is written. */
  readonly paused?: { readonly actor: Actor; readonly at: string; readonly reason?: string }
  /** RFC 3339: when it first wrote, or was about to: the cluster's turn. */
  readonly begunAt?: string
  /** Connections that failed in the window before that: what failures are compared with as long as it lasts. Absent: not known. */
  readonly failuresBefore?: number
  /** What people were told last that holds it, as `phase.reason`. */
  readonly toldOf?: string
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

/**
 * Is a mesh of Linkerd taken over by it? Then `from` is what lay on the cluster, the vault held nothing (its versions are empty
 * texts), and the key of the former issuer is not ours.
 */
export function isTakeover({ from }: { readonly from?: CaSet | undefined }): boolean {
  return from !== undefined && from.versions.caKey === ''
}

/** Of which phases a secret of the vault is written. */
export function isWritePhase(phase: CaPhase): phase is 'widening' | 'switching' | 'narrowing' {
  return phase === 'widening' || phase === 'switching' || phase === 'narrowing'
}

/** The secret in which the key of an intermediate waits for its certificate, so that what istiod reads stays whole. */
export function pendingKeyName(caKey: string): string {
  return `${caKey.slice(0, 122)}-next`
}

/**
 * How long certificates of workloads live at most, in milliseconds: as the spec says, or the mesh itself, whichever is longer.
 * What a rotation waits for, for nothing that may be trusted goes before.
 */
export function leafLifetimeMs(
  { workloadTtl }: Pick<MeshCaSpec, 'workloadTtl'>,
  trust: Pick<TrustState, 'issuanceLifetimeMs'> | undefined,
): number {
  return Math.max(durationMs(workloadTtl), trust?.issuanceLifetimeMs ?? 0)
}

/**
 * How much later than the first replica of istiod the last one takes what the vault holds, and clocks besides, in
 * milliseconds: a quarter of the workload TTL, 15 minutes at most.
 */
export function spreadMs(workloadTtlMs: number): number {
  return Math.min(15 * 60_000, workloadTtlMs / 4)
}

/**
 * Epoch milliseconds: a look at the cluster that is not later than this cannot take the rotation on, so one that sees
 * nothing new is recorded all the same once this has passed. Undefined: the phase waits for no look.
 */
export function lookWantedAfter(rotation: CaRotation | undefined, workloadTtlMs: number): number | undefined {
  if (!rotation || isCaRotationOver(rotation)) return undefined
  const { phase, writtenAt, takenAt } = rotation
  if (isWritePhase(phase)) return writtenAt === undefined ? undefined : Date.parse(writtenAt)
  if ((phase !== 'trusting' && phase !== 'renewing') || takenAt === undefined) return undefined
  return Date.parse(takenAt) + workloadTtlMs + spreadMs(workloadTtlMs)
}
