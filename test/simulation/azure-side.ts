import { SANDBOX_PROMETHEUS } from '../../src/sandbox/azure-monitor-hosts.ts'
import {
  chatHosts,
  SANDBOX_SLACK_TOKEN,
  SANDBOX_TEAMS_SECRET,
  SANDBOX_TEAMS_WEBHOOK,
} from '../../src/sandbox/chat-world.ts'
import { managedPrometheusEmulator } from '../../src/sandbox/emulators/azure-monitor/managed-prometheus.ts'
import type { Emulator, EmulatorContext } from '../../src/sandbox/emulators/emulator.ts'
import { SANDBOX_SERVICE_PRINCIPAL, sandboxGraph } from '../../src/sandbox/sandbox-directory.ts'
import { allClusters } from '../../src/sandbox/world/all-clusters.ts'
import type { World } from '../../src/sandbox/world/world.ts'
import type { Settings } from '../../src/settings.ts'
import { isToken } from './app-tokens.ts'
import { putSecret, type VaultSide } from './vault-side.ts'

/** Certificates in the vault, Azure Monitor, chats, and the directory of people: what a story of certificates has besides. */
export interface AzureSide extends VaultSide {
  /** By public host, each with the name of its wire. */
  readonly hosts: Readonly<Record<string, { readonly system: string; readonly emulator: Emulator }>>
}

export async function createAzureSide(
  context: EmulatorContext & { readonly world: World },
  vault: VaultSide,
): Promise<AzureSide> {
  const checkToken = async (token: string, audience: string) => isToken(token, audience, context.now())
  await putSecret(vault.keyVault, context.now(), SANDBOX_TEAMS_SECRET, SANDBOX_TEAMS_WEBHOOK)
  const graph = sandboxGraph(context, { checkToken } as Parameters<typeof sandboxGraph>[1])
  const monitor = managedPrometheusEmulator({ source: allClusters(context.world), now: context.now, checkToken })
  const chats = Object.entries(chatHosts(context)).map(([host, emulator]) => {
    return [host, { system: `chat/${host.includes('slack') ? 'slack' : 'teams'}`, emulator }] as const
  })
  const hosts = {
    [SANDBOX_PROMETHEUS]: { system: 'monitor', emulator: monitor },
    'graph.microsoft.com': { system: 'graph', emulator: graph },
    ...Object.fromEntries(chats),
  }
  return Object.assign(vault, { hosts })
}

/** By what chats, monitors and Event Grid prove themselves. */
export const HOOKS = {
  slack: 'simulation-slack-signing-secret',
  teams: Buffer.from('simulation-teams-security-token').toString('base64'),
  alerts: 'simulation-secret-of-monitors',
  eventGrid: 'simulation-key-of-event-grid',
} as const

/** The settings that go with it. */
export const AZURE_SETTINGS: Partial<Settings> = {
  slackToken: SANDBOX_SLACK_TOKEN,
  servicePrincipalId: SANDBOX_SERVICE_PRINCIPAL,
  publicUrl: 'https://mesh.test',
  hooks: { slack: [HOOKS.slack], teams: [HOOKS.teams], alerts: [HOOKS.alerts], keyVault: [HOOKS.eventGrid] },
}

/** What of it must never be seen. */
export const AZURE_SECRETS: readonly string[] = [
  ...Object.values(HOOKS),
  SANDBOX_SLACK_TOKEN,
  SANDBOX_TEAMS_WEBHOOK,
  new URL(SANDBOX_TEAMS_WEBHOOK).searchParams.get('sig') ?? SANDBOX_TEAMS_WEBHOOK,
]
