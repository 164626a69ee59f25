import { MemoryKeys } from '../../unit/fakes/memory-keys.ts'
import { MemorySecrets } from '../../unit/fakes/memory-secrets.ts'
import { MemoryVault } from '../../unit/fakes/memory-vault.ts'
import { emulatedVault, VAULT_URL } from './emulated-vault.ts'
import { vaultKeysContract } from './keys-suite.ts'
import { vaultSecretsContract } from './secrets-suite.ts'
import { vaultContract } from './suite.ts'

vaultContract('the adapter on the emulated Key Vault', async () => {
  const refused = new Set<string>()
  const limits = { creations: 1000, others: 1000 }
  const refusal = (name: string) => (refused.delete(name) ? 'the issuer has no time' : undefined)
  const emulated = await emulatedVault({ issueMs: 10, refusal, limits })
  const vault = emulated.vaults.open(VAULT_URL)
  return {
    vault,
    async complete(name) {
      await emulated.pass(1000)
      await vault.operation(name)
    },
    async refuse(name) {
      refused.add(name)
      await emulated.pass(1000)
      await vault.operation(name)
    },
    async softDelete(name) {
      await emulated.certificates.beginDeleteCertificate(name)
    },
    now: () => emulated.clock.now(),
  }
})

vaultContract('the vault in memory that unit tests use', async () => {
  const vault = new MemoryVault()
  return {
    vault,
    async complete(name) {
      await vault.complete(name)
    },
    refuse: async (name) => vault.fail(name),
    softDelete: async (name) => vault.softDelete(name),
    now: () => Date.UTC(2030, 0, 1),
  }
})

vaultSecretsContract('the adapter on the emulated Key Vault', async () => {
  const emulated = await emulatedVault()
  return {
    secrets: emulated.vaults.secrets(VAULT_URL),
    async softDelete(name) {
      await emulated.secrets.beginDeleteSecret(name)
    },
    pass: (durationMs) => emulated.pass(durationMs),
    now: () => emulated.clock.now(),
  }
})

vaultSecretsContract('the secrets in memory that unit tests use', async () => {
  let now = Date.UTC(2030, 0, 1)
  const secrets = new MemorySecrets(() => now)
  return {
    secrets,
    softDelete: async (name) => secrets.softDelete(name),
    async pass(durationMs) {
      now += durationMs
    },
    now: () => now,
  }
})

vaultKeysContract('the adapter on the emulated Key Vault', async () => {
  const emulated = await emulatedVault()
  return {
    keys: emulated.vaults.keys(VAULT_URL),
    url: VAULT_URL,
    async softDelete(name) {
      await emulated.keys.beginDeleteKey(name)
    },
    pass: (durationMs) => emulated.pass(durationMs),
  }
})

vaultKeysContract('the keys in memory that unit tests use', async () => {
  let now = Date.UTC(2030, 0, 1)
  const keys = new MemoryKeys(VAULT_URL, () => now)
  return {
    keys,
    url: VAULT_URL,
    softDelete: async (name) => keys.softDelete(name),
    async pass(durationMs) {
      now += durationMs
    },
  }
})
