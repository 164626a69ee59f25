import type { CertificateClient } from '@azure/keyvault-certificates'
import type { KeyClient } from '@azure/keyvault-keys'
import type { SecretClient } from '@azure/keyvault-secrets'
import type { Clock } from '../../ports/clock.ts'
import type { Vault, Vaults } from '../../ports/vault.ts'
import type { VaultKeys } from '../../ports/vault-keys.ts'
import type { VaultSecrets } from '../../ports/vault-secrets.ts'
import type { Azure } from '../azure.ts'
import { once } from '../once.ts'
import { askVault } from './ask-vault.ts'
import { keyVault } from './key-vault.ts'
import { keyVaultKeys } from './key-vault-keys.ts'
import { keyVaultSecrets } from './key-vault-secrets.ts'
import { vaultAddress } from './vault-address.ts'

/** The two SDK clients of one vault's certificates. */
export interface VaultClients {
  readonly certificates: CertificateClient
  readonly secrets: SecretClient
}

interface OpenedVault {
  readonly certificates: Vault
  readonly keys: VaultKeys
  readonly secrets: VaultSecrets
}

/** Key Vaults by @azure/keyvault-certificates, -keys and -secrets, each of which is loaded at the first call that needs it. */
export function keyVaults(azure: Azure, clock: Clock): Vaults {
  const opened = new Map<string, OpenedVault>()
  const open = (given: string): OpenedVault => {
    const { name, url } = vaultAddress(given)
    const known = opened.get(name)
    if (known) return known
    const system = `Key Vault ${name}`
    const [keys, secrets] = [once(() => openKeys(azure, url)), once(() => openSecrets(azure, url))]
    const certificates = once(async () => ({
      certificates: await openCertificates(azure, url),
      secrets: await secrets(),
    }))
    const made = {
      certificates: keyVault(system, certificates, clock),
      keys: keyVaultKeys({ url, system }, askVault(system, keys, clock)),
      secrets: keyVaultSecrets(askVault(system, secrets, clock)),
    }
    opened.set(name, made)
    return made
  }
  return {
    open: (url) => open(url).certificates,
    keys: (url) => open(url).keys,
    secrets: (url) => open(url).secrets,
  }
}

/** The clients try once: whoever asks decides about the next try, and a creation is never sent again unseen. */
function optionsOf({ httpClient }: Azure) {
  return { retryOptions: { maxRetries: 0 }, ...(httpClient ? { httpClient } : {}) }
}

async function openCertificates(azure: Azure, url: string): Promise<CertificateClient> {
  const { CertificateClient } = await import('@azure/keyvault-certificates')
  return new CertificateClient(url, azure.credential, optionsOf(azure))
}

async function openSecrets(azure: Azure, url: string): Promise<SecretClient> {
  const { SecretClient } = await import('@azure/keyvault-secrets')
  return new SecretClient(url, azure.credential, optionsOf(azure))
}

async function openKeys(azure: Azure, url: string): Promise<KeyClient> {
  const { KeyClient } = await import('@azure/keyvault-keys')
  return new KeyClient(url, azure.credential, optionsOf(azure))
}
