import type { CaSecretNames } from '../model/mesh-ca.ts'
import type { VaultKeys } from '../ports/vault-keys.ts'
import type { VaultSecrets } from '../ports/vault-secrets.ts'

/** The vault of a CA: its keys, its secrets, and the names of the four that istiod reads. */
export interface CaVault {
  readonly keys: VaultKeys
  readonly secrets: VaultSecrets
  readonly names: CaSecretNames
}
