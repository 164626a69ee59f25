import type { CertificateSpec } from '../model/certificate.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import type { Vaults } from '../ports/vault.ts'

/** What the use cases of certificates work with. */
export interface CertificateDeps {
  readonly store: Store
  readonly clock: Clock
  readonly vaults: Vaults
  /** Address of the vault of certificates that name none. */
  readonly vaultUrl?: string
}

/** The address of a certificate's vault; undefined when neither it nor the settings name one. */
export function vaultOf(
  deps: Pick<CertificateDeps, 'vaultUrl'>,
  spec: Pick<CertificateSpec, 'vault'>,
): string | undefined {
  const url = spec.vault ?? deps.vaultUrl
  return url === undefined ? undefined : new URL(url).origin
}
