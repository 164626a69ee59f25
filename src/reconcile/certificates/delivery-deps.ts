import type { Handshakes } from '../../ports/handshake.ts'
import type { Vaults } from '../../ports/vault.ts'
import type { ReconcileDeps } from '../deps.ts'

/** What the delivery of certificates works with. */
export interface DeliveryDeps extends ReconcileDeps {
  readonly vaults: Vaults
  readonly handshakes: Handshakes
  /** Address of the vault of certificates that name none. */
  readonly vaultUrl?: string
}
