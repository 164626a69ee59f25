import type { CertificateVersion, IssuerSpec } from '../model/certificate.ts'
import type { VaultKeys } from './vault-keys.ts'
import type { VaultSecrets } from './vault-secrets.ts'

/** How a new version is to be made. */
export interface VaultPolicy {
  readonly issuer: IssuerSpec
  /** The first is the subject's common name too. */
  readonly dnsNames: readonly string[]
  readonly validityMonths: number
  readonly key:
    | { readonly type: 'RSA'; readonly size: number }
    | { readonly type: 'EC'; readonly curve: 'P-256' | 'P-384' }
}

/** A certificate version with what the vault keeps beside it. */
export interface VaultVersion extends CertificateVersion {
  readonly enabled: boolean
  /** The certificate itself, without its chain. */
  readonly pem: string
  /** RFC 3339. */
  readonly createdAt: string
  readonly tags: Readonly<Record<string, string>>
}

/** The one operation that a certificate can have pending. */
export interface VaultOperation {
  readonly state: 'in-progress' | 'completed' | 'cancelled' | 'failed'
  /** PEM (PKCS #10). */
  readonly csr: string
  /** The vault's own words, when it failed. */
  readonly error?: string
}

/** The private half: only reconcile asks for it, and hands it to a cluster. Never stored, logged or shown. */
export interface VaultSecret {
  readonly value: string
  /** `application/x-pem-file`, `application/x-pkcs12`. */
  readonly contentType?: string
}

/** A name of a certificate with the end of its newest version, as lists tell it. */
export interface VaultListing {
  readonly name: string
  /** RFC 3339; absent while a first version is pending. */
  readonly notAfter?: string
  readonly enabled: boolean
}

/**
 * One Key Vault, as far as certificates go. Throws PortError: `not-found`, `conflict` (an operation is pending, or the name
 * lies deleted in the vault: reason `SoftDeleted`), `throttled`, `denied`, `invalid`, `unavailable`.
 */
export interface Vault {
  /** A version with its public parts; the newest one when `version` is left out. Undefined when there is none. */
  version(name: string, version?: string): Promise<VaultVersion | undefined>
  /** Every version there is, without the public parts of each: versions and their tags. */
  versions(
    name: string,
  ): Promise<readonly { readonly version: string; readonly tags: Readonly<Record<string, string>> }[]>
  /** Starts the making of a new version with these tags. AutoRenew is never set: rotations are ours. */
  create(name: string, policy: VaultPolicy, tags: Readonly<Record<string, string>>): Promise<void>
  /** The operation that is pending or was last; undefined when there is none. */
  operation(name: string): Promise<VaultOperation | undefined>
  /** Ends a pending operation and takes it away; none is no error. */
  dropOperation(name: string): Promise<void>
  /** Hands the signed chain (PEM, leaf first) to the pending operation: it becomes the newest version. */
  merge(name: string, chain: string): Promise<void>
  /** The PEM or PKCS #12 with the private key: a certificate's own version, or a secret by name (newest when left out). */
  secret(name: string, version?: string): Promise<VaultSecret>
  /** Every certificate of the vault, page by page. */
  list(): AsyncIterable<readonly VaultListing[]>
}

/** Vaults by address (`https://NAME.vault.azure.net`). Throws PortError `denied` for one that may not be called. */
export interface Vaults {
  /** Its certificates. */
  open(url: string): Vault
  /** Its keys. */
  keys(url: string): VaultKeys
  /** Its secrets. */
  secrets(url: string): VaultSecrets
}
