import type { TrustDocument } from '../model/documents.ts'
import type { CaSecretNames, CaSet } from '../model/mesh-ca.ts'
import type { CaPlace } from '../ports/ca-place.ts'
import type { Trouble } from '../ports/vault-trouble.ts'
import type { WindowState } from '../ports/window-state.ts'

/** Who wrote a version of a secret: its tags. */
export interface SecretMark {
  readonly rotation: string
  readonly phase: string
  readonly direction: string
}

/** What the four secrets hold now. */
export interface VaultSeen {
  /** Absent: at least one of the four is missing or cannot be read as what it is to be. */
  readonly set?: CaSet
  /** Why istiod would not take what is there; empty: it would. In words, for people. */
  readonly problems: readonly string[]
  /** That the signer, or the root that it rests on, has ended is all that is wrong. */
  readonly hasEnded?: boolean
  /** Newest version of each secret that is there. */
  readonly versions: Partial<CaSecretNames>
  /** Tags of those versions; absent: another hand wrote it. */
  readonly marks: Partial<Record<keyof CaSecretNames, SecretMark>>
}

/** Why no write may begin. */
export interface CaHold {
  /**
   * `closed`: the cluster is only observed, or not registered. `cluster`: it is being changed. `freeze`. `turn`: another
   * cluster had its turn today. `shared`: another cluster rests on the root that is to leave, so it holds that alone.
   */
  readonly kind: 'closed' | 'cluster' | 'freeze' | 'turn' | 'shared'
  readonly reason: string
  readonly message: string
  /** Epoch milliseconds. */
  readonly until?: number
  /** The cluster is to be probed. */
  readonly isStale?: true
}

/** Everything that a decision rests on besides the document. */
export interface Observations {
  /** Epoch milliseconds. */
  readonly now: number
  readonly vault: VaultSeen | Trouble
  /** What reconcile saw on the cluster last; undefined: nothing yet. */
  readonly trust: TrustDocument | undefined
  readonly holds: readonly CaHold[]
  /** Where its secrets are; absent: nothing names a vault. */
  readonly place?: CaPlace
  readonly window: WindowState
  /** Why this CA can be watched only: the cluster's istiod signs with a CA of its own. */
  readonly watched?: { readonly reason: string; readonly message: string }
}

/** The one thing that a pass may ask of the vault, after its intent is stored. */
export type CaEffect =
  /** Make the key of a new root in the vault, and the root certificate with it. */
  | { readonly kind: 'make-root'; readonly rotation: string }
  /** Make the key of an intermediate for another CA, keep it in the vault, and record the CSR. */
  | { readonly kind: 'request'; readonly rotation: string }
  /** Put back what an unfinished write of this rotation left in the vault. */
  | { readonly kind: 'put-back'; readonly rotation: string }
  | CaWrite

/**
 * Write the four secrets, key and certificate next to each other, read them back and check them; what does not pass is put
 * back from the versions before. `signer`: `keep` what signs now, make a `new` one under the root of the rotation, or go
 * back to the `former`.
 */
export interface CaWrite {
  readonly kind: 'write'
  readonly rotation: string
  readonly phase: string
  readonly direction: 'on' | 'back'
  /** PEM, byte for byte. */
  readonly rootCert: string
  readonly signer: 'keep' | 'new' | 'former'
}

export const PARTS = ['rootCert', 'certChain', 'caCert', 'caKey'] as const satisfies readonly (keyof CaSecretNames)[]
