import type { CertificateVersion } from '../model/certificate.ts'
import type { DeliveryDocument } from '../model/documents.ts'
import type { VaultOperation, VaultVersion } from '../ports/vault.ts'
import { isTrouble, type Trouble } from '../ports/vault-trouble.ts'
import type { WindowState } from '../ports/window-state.ts'

/** What a pass has seen of the vault. */
export interface VaultSeen {
  /** The newest version, whoever made it. */
  readonly newest?: VaultVersion
  /** The version that the live rotation made, found by its tag. */
  readonly tagged?: VaultVersion
  /** The live rotation's candidate as it is now. */
  readonly candidate?: VaultVersion
  /** Looked at only while a version is being made. */
  readonly operation?: VaultOperation
}

/** Everything that a decision rests on besides the document. */
export interface Observations {
  /** Epoch milliseconds. */
  readonly now: number
  readonly vault: VaultSeen | Trouble
  readonly deliveries: readonly DeliveryDocument[]
  /** Hosts that the certificate's team owns; undefined when it names no team. */
  readonly teamHosts?: readonly string[]
  readonly window: WindowState
}

/** The one thing that a pass may ask of the vault, after its intent is stored. */
export type VaultEffect =
  | { readonly kind: 'create'; readonly rotation: string }
  | { readonly kind: 'merge'; readonly rotation: string; readonly chain: string }
  | { readonly kind: 'drop'; readonly rotation: string }

/** A version as it was seen, whatever it was looked at for; undefined when it is not in the vault. */
export function seenVersion({ candidate, tagged, newest }: VaultSeen, version?: string): VaultVersion | undefined {
  return [candidate, tagged, newest].find((one) => one !== undefined && one.version === version)
}

/** Does the vault know no version at all? */
export function isGone(vault: VaultSeen | Trouble): boolean {
  return !isTrouble(vault) && vault.newest === undefined
}

export function goneMessage({ serial }: Pick<CertificateVersion, 'serial'>): string {
  return `Serial ${serial} is served, and the vault has the certificate no more: recover it there, or rotate it.`
}

/** The public part of a version, as documents keep it. */
export function publicPart(version: VaultVersion, rotation?: string): CertificateVersion {
  const { version: id, serial, fingerprint, notBefore, notAfter, dnsNames, issuer } = version
  const made = rotation === undefined ? {} : { rotation }
  return { version: id, serial, fingerprint, notBefore, notAfter, dnsNames, issuer, ...made }
}
