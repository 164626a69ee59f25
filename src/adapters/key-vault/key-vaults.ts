import type { CertificateClient } from '@azure/keyvault-certificates'
import type { SecretClient } from '@azure/keyvault-secrets'
import type { Clock } from '../../ports/clock.ts'
import type { Vault, Vaults } from '../../ports/vault.ts'
import type { Azure } from '../azure.ts'
import { once } from '../once.ts'
import { keyVault } from './key-vault.ts'
import { vaultAddress } from './vault-address.ts'

/** The two SDK clients of one vault. */
export interface VaultClients {
  readonly certificates: CertificateClient
  readonly secrets: SecretClient
}

/** Key Vaults by @azure/keyvault-certificates and @azure/keyvault-secrets, which are loaded at the first call. */
export function keyVaults(azure: Azure, clock: Clock): Vaults {
  const opened = new Map<string, Vault>()
  return {
    open(url) {
      const address = vaultAddress(url)
      const known = opened.get(address.name)
      if (known) return known
      const made = keyVault(
        `Key Vault ${address.name}`,
        once(() => openClients(azure, address.url)),
        clock,
      )
      opened.set(address.name, made)
      return made
    },
  }
}

/** The clients try once: whoever asks decides about the next try, and a creation is never sent again unseen. */
async function openClients({ credential, httpClient }: Azure, url: string): Promise<VaultClients> {
  const [{ CertificateClient }, { SecretClient }] = await Promise.all([
    import('@azure/keyvault-certificates'),
    import('@azure/keyvault-secrets'),
  ])
  const options = { retryOptions: { maxRetries: 0 }, ...(httpClient ? { httpClient } : {}) }
  return {
    certificates: new CertificateClient(url, credential, options),
    secrets: new SecretClient(url, credential, options),
  }
}
