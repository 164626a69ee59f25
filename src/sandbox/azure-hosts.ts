import { chatHosts } from './chat-world.ts'
import type { Emulator, EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'

/** What the emulators of Azure and chat services are made with. */
export interface AzureWorld {
  readonly context: EmulatorContext
  readonly entra: EntraEmulator
}

/**
 * The emulators that stand in for public hosts, by host name: Azure Resource Manager, Key Vault, Azure Monitor, Microsoft
 * Graph, Slack, Teams Workflows. The app reaches them by its setting MESHWRIGHT_EMULATED_AZURE.
 */
export function azureHosts({ context, entra }: AzureWorld): Readonly<Record<string, Emulator>> {
  return { 'login.microsoftonline.com': entra.handle, ...chatHosts(context) }
}
