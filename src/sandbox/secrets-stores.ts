import { SANDBOX_CLUSTERS } from './emulated-cluster.ts'
import type { EmulatedClusters } from './emulated-clusters.ts'
import type { ArmEmulator } from './emulators/arm/arm.ts'
import type { EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import type { KeyVaultEmulator } from './emulators/key-vault/key-vault.ts'
import { secretsStoreDefinitions } from './emulators/secrets-store/definitions.ts'
import { type SecretsStore, secretsStore } from './emulators/secrets-store/secrets-store.ts'
import { sandboxClusterId } from './managed-clusters.ts'

/** The add-on azureKeyvaultSecretsProvider on those of the sandbox's clusters that have it. */
export interface SecretsStores {
  /** Does what is due on every cluster. */
  advance(): Promise<void>
}

export function secretsStores(
  context: EmulatorContext,
  { clusters }: Pick<EmulatedClusters, 'clusters'>,
  azure: { readonly arm: Pick<ArmEmulator, 'get'>; readonly entra: EntraEmulator; readonly keyVault: KeyVaultEmulator },
): SecretsStores {
  const stores = new Map<string, SecretsStore>()
  let running: Promise<void> | undefined
  const advance = async () => {
    for (const name of SANDBOX_CLUSTERS) {
      const kubernetes = clusters.get(name)?.kubernetes
      const addOn = addOnOf(azure.arm, name)
      if (!kubernetes || addOn?.enabled !== true) continue
      if (!stores.has(name)) kubernetes.seed(secretsStoreDefinitions())
      const vault = azure.keyVault.handle
      const token = () => azure.entra.issueServiceToken('https://vault.azure.net')
      const store = stores.get(name) ?? secretsStore(context, { kubernetes, vault, token, name })
      stores.set(name, store)
      await store.advance(addOn.config?.enableSecretRotation === 'true' ? pollMs(addOn) : Number.POSITIVE_INFINITY)
    }
  }
  return {
    advance() {
      running ??= advance().finally(() => {
        running = undefined
      })
      return running
    },
  }
}

/** The add-on azureKeyvaultSecretsProvider as Azure shows it. */
export interface AddOn {
  readonly enabled?: boolean
  readonly config?: { readonly enableSecretRotation?: string; readonly rotationPollInterval?: string }
}

/** That of a cluster; undefined when there is none. */
export function addOnOf(arm: Pick<ArmEmulator, 'get'>, name: string): AddOn | undefined {
  const profiles = arm.get(sandboxClusterId(name))?.properties.addonProfiles
  return (profiles as { readonly azureKeyvaultSecretsProvider?: AddOn } | undefined)?.azureKeyvaultSecretsProvider
}

/** How often it looks at the vault, in milliseconds. */
export function pollMs({ config }: AddOn): number {
  return goDurationMs(config?.rotationPollInterval ?? '2m')
}

/** `2m`, `30s`, as Go writes durations; in milliseconds. */
export function goDurationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+)([hms])/g)]
  const unit: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000 }
  return parts.reduce((sum, [, count, name = 's']) => sum + Number(count) * (unit[name] ?? 0), 0)
}
