import type { TrustDocument } from '../model/documents.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import type { Trouble } from '../ports/vault-trouble.ts'
import type { WindowState } from '../ports/window-state.ts'

/** What the four secrets hold now. */
export interface VaultSeen {
  /** Absent: at least one of the four is missing. */
  readonly set?: CaSet
  /** Why istiod would not take what is there; empty: it would. In words, for people. */
  readonly problems: readonly string[]
  /** Rotation and phase that wrote all four newest versions (their tags); absent: another hand wrote one of them. */
  readonly writtenBy?: { readonly rotation: string; readonly phase: string; readonly direction: string }
}

/** Everything that a decision rests on besides the document. */
export interface Observations {
  /** Epoch milliseconds. */
  readonly now: number
  readonly vault: VaultSeen | Trouble
  /** What reconcile saw on the cluster last; undefined: nothing yet. */
  readonly trust: TrustDocument | undefined
  /** Why no phase that is not begun may begin: the cluster is being changed, frozen, not registered, or another cluster had its turn today. */
  readonly hold?: {
    readonly reason: string
    readonly message: string /** Epoch milliseconds. */
    readonly until?: number
  }
  readonly window: WindowState
}

/** The one thing that a pass may ask of the vault, after its intent is stored. */
export type CaEffect =
  /** Make the key of a new root in the vault, and the root certificate with it. */
  | { readonly kind: 'make-root'; readonly rotation: string }
  /** Make the key of an intermediate for another CA, keep it in the vault, and record the CSR. */
  | { readonly kind: 'request'; readonly rotation: string }
  /**
   * Write the four secrets, key and certificate next to each other, read them back and check them; what does not pass is put
   * back from the versions before. `signer`: `keep` what signs now, make a `new` one under `root`, or go back to the `former`.
   */
  | {
      readonly kind: 'write'
      readonly rotation: string
      readonly phase: string
      readonly direction: 'on' | 'back'
      /** PEM, byte for byte. */
      readonly rootCert: string
      readonly signer: 'keep' | 'new' | 'former'
    }
