/** Curves of the keys that sign certificates. */
export type SigningCurve = 'P-256' | 'P-384'

/** The public half of such a key, as a JSON Web Key (RFC 7518 §6.2.1). Numbers are base64url. */
export interface PublicJwk {
  readonly kty: 'EC'
  readonly crv: SigningCurve
  readonly x: string
  readonly y: string
}

/** A version of a key in a vault. The private half is not in it, and nowhere outside the vault. */
export interface VaultKey {
  /** Its whole address with its version: `https://NAME.vault.azure.net/keys/KEY/VERSION`. What a root is made with is pinned by it. */
  readonly id: string
  readonly version: string
  /** Whether it was made in a hardware module, and stays there. */
  readonly hsm: boolean
  readonly enabled: boolean
  readonly jwk: PublicJwk
  /** RFC 3339, in seconds. */
  readonly createdAt: string
  readonly tags: Readonly<Record<string, string>>
}

/** How a key is to be made. */
export interface VaultKeyPolicy {
  /** P-384 when left out. */
  readonly curve?: SigningCurve
  /** In a hardware module, which only vaults of the Premium tier have. */
  readonly hsm: boolean
  readonly tags: Readonly<Record<string, string>>
}

/**
 * The keys of one Key Vault that sign certificates: EC P-256 or P-384, which never leave it. Throws PortError: `not-found`,
 * `conflict` (the name lies deleted: reason `SoftDeleted`, or belongs to a certificate), `throttled`, `denied` (reason
 * `HsmNotInTier`: not a Premium vault; `KeyDisabled`; `KeyUnusable`), `invalid` (reason `KeyKind`: a key of that name is neither; `KeyId`: an id of another vault), `unavailable`.
 */
export interface VaultKeys {
  /** Makes a key, or a new version where the name has one: whoever does not know whether an earlier call was heard reads first, and compares tags. */
  createKey(name: string, policy: VaultKeyPolicy): Promise<VaultKey>
  /** A version; the newest when `version` is left out. Undefined when there is none. */
  key(name: string, version?: string): Promise<VaultKey | undefined>
  /**
   * The signature of the bytes by that version: ES256 (r‖s, 64 bytes) by a key on P-256, ES384 (96 bytes) by one on P-384.
   * Only their digest goes to the vault.
   */
  sign(key: Pick<VaultKey, 'id' | 'jwk'>, bytes: Uint8Array): Promise<Uint8Array>
}
