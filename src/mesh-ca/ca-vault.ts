/** A version of a secret with its value, which may be a private key: never stored, logged or shown. */
export interface CaSecret {
  readonly version: string
  readonly value: string
  readonly tags: Readonly<Record<string, string>>
}

/** A version of a key whose private half never leaves its vault. */
export interface CaVaultKey {
  /** With its version. */
  readonly id: string
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly tags: Readonly<Record<string, string>>
}

/** What mesh CAs need of a vault. Throws PortError as `Vault` does. */
export interface CaVault {
  /** The newest version, or the one that is named; undefined when there is none. */
  secret(name: string, version?: string): Promise<CaSecret | undefined>
  /** Writes a new version; its name. */
  setSecret(
    name: string,
    value: string,
    options: { readonly tags: Readonly<Record<string, string>>; readonly notAfter?: string },
  ): Promise<string>
  /** Every version of a key that is enabled. */
  keys(name: string): Promise<readonly CaVaultKey[]>
  /** A new version of an EC P-384 key that signs. */
  createKey(
    name: string,
    options: { readonly hsm: boolean; readonly tags: Readonly<Record<string, string>> },
  ): Promise<CaVaultKey>
  /** r‖s by ES384 of these bytes, which the vault's client hashes. */
  sign(keyId: string, bytes: Uint8Array): Promise<Uint8Array>
}

export interface CaVaults {
  /** The vault at an address. Throws PortError `denied` for one that may not be called. */
  open(url: string): CaVault
}
