import { MemoryVault } from '../../unit/fakes/memory-vault.ts'
import { emulatedVault, VAULT_URL } from './emulated-vault.ts'
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
