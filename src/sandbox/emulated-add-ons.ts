import type { EmulatedClusters } from './emulated-clusters.ts'
import type { ArmEmulator } from './emulators/arm/arm.ts'
import type { EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import type { KeyVaultEmulator } from './emulators/key-vault/key-vault.ts'
import { meshAuthorities } from './mesh-authorities.ts'
import { secretsStores } from './secrets-stores.ts'

/** The Azure that add-ons of the clusters look at. */
export interface AddOnAzure {
  readonly arm: Pick<ArmEmulator, 'get'>
  readonly entra: EntraEmulator
  readonly keyVault: KeyVaultEmulator
}

/** What AKS runs on the sandbox's clusters: the Secrets Store CSI driver, istiod as a CA; and Linkerd, where it is. */
export function emulatedAddOns(
  context: EmulatorContext,
  emulated: Pick<EmulatedClusters, 'clusters' | 'istiods' | 'linkerds'>,
  azure: AddOnAzure,
): { advance(): Promise<void> } {
  const parts = [secretsStores(context, emulated, azure), meshAuthorities(context, emulated, azure)]
  return {
    async advance() {
      for (const linkerd of emulated.linkerds.values()) linkerd.advance()
      await Promise.all(parts.map((part) => part.advance()))
    },
  }
}
