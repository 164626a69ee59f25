import type { VaultSecret } from './vault.ts'

/** What goes along with a secret's value. */
export interface SecretMeta {
  readonly contentType?: string
  readonly tags?: Readonly<Record<string, string>>
  /** RFC 3339, in seconds. It only informs: the vault gives the value out afterwards too. */
  readonly notAfter?: string
}

/** A version of a secret, without its value. */
export interface SecretVersion extends SecretMeta {
  readonly version: string
  readonly enabled: boolean
  readonly tags: Readonly<Record<string, string>>
  /** RFC 3339, in seconds: versions that are made in one second have no order among them. */
  readonly createdAt: string
}

/** A version with its value. Never stored, logged or shown. */
export interface SecretContent extends VaultSecret, SecretVersion {}

/**
 * The secrets of one Key Vault that belong to no certificate. Values are in no message of an error. Throws PortError:
 * `not-found`, `conflict` (the name lies deleted: reason `SoftDeleted`, or belongs to a certificate: `NameTaken`),
 * `throttled`, `denied`, `invalid` (more than 25 KB), `unavailable`.
 */
export interface VaultSecrets {
  /** Makes a new version, which is the newest at once; returns its name. An answer that was lost shows in the versions' tags. */
  setSecret(name: string, value: string, meta: SecretMeta): Promise<string>
  /** Every version there is, oldest first; empty when there is none. */
  secretVersions(name: string): Promise<readonly SecretVersion[]>
  /** A version with its value; the newest when `version` is left out. Undefined when there is none. */
  readSecret(name: string, version?: string): Promise<SecretContent | undefined>
}
