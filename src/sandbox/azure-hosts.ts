import { azureMonitorHosts } from './azure-monitor-hosts.ts'
import { chatHosts } from './chat-world.ts'
import type { ArmEmulator } from './emulators/arm/arm.ts'
import type { Emulator, EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import type { KeyVaultEmulator } from './emulators/key-vault/key-vault.ts'
import { sandboxGraph } from './sandbox-directory.ts'
import { SANDBOX_VAULT } from './sandbox-vault.ts'
import type { World } from './world/world.ts'

/** What the emulators of Azure and chat services are made with. */
export interface AzureWorld {
  readonly context: EmulatorContext
  readonly entra: EntraEmulator
  readonly arm: ArmEmulator
  readonly keyVault: KeyVaultEmulator
  /** Absent: the sandbox has no emulated clusters, and Azure Monitor knows nothing. */
  readonly world?: World
}

/**
 * The emulators that stand in for public hosts, by host name: Azure Resource Manager, Key Vault, Azure Monitor, Microsoft
 * Graph, Slack, Teams Workflows. The app reaches them by its setting MESHWRIGHT_EMULATED_AZURE.
 */
export function azureHosts({ context, entra, arm, keyVault, world }: AzureWorld): Readonly<Record<string, Emulator>> {
  const { checkToken } = entra
  return {
    'login.microsoftonline.com': entra.handle,
    'management.azure.com': arm.handle,
    [new URL(SANDBOX_VAULT).host]: keyVault.handle,
    'graph.microsoft.com': sandboxGraph(context, entra),
    ...chatHosts(context),
    ...(world ? azureMonitorHosts({ world, now: context.now, checkToken }) : {}),
  }
}
