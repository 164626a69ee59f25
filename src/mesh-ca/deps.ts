import type { ClusterDocument } from '../model/documents.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'
import { type PlacedCa, placeOfCa } from '../ports/ca-place.ts'
import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/port-error.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Vaults } from '../ports/vault.ts'
import type { CaVault } from './ca-vault.ts'

/** What the use cases of mesh CAs work with. */
export interface MeshCaDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly vaults: Vaults
  /** Address of the vault of CAs for which neither they nor their cluster name one. */
  readonly vaultUrl?: string
}

/** The vault of a CA with its place there. Throws PortError `denied` when it may not be called, `invalid` when none is named. */
export function openCaVault(
  deps: Pick<MeshCaDeps, 'vaultUrl' | 'vaults'>,
  ca: PlacedCa,
  cluster: Pick<ClusterDocument, 'aks'> | undefined,
): CaVault {
  const place = placeOfCa(ca, cluster, deps.vaultUrl)
  if (!place) throw new PortError('invalid', 'Key Vault', 'Neither the CA, its cluster nor the settings name a vault.')
  const { vault, secrets: names } = place
  return { keys: deps.vaults.keys(vault), secrets: deps.vaults.secrets(vault), names }
}

/** The key of the root in the vault. */
export function rootKeyName(name: string, { root }: MeshCaSpec): string {
  return (root.kind === 'vault-key' ? root.key : undefined) ?? `${name}-root`
}
