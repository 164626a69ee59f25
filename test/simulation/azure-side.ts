import { SANDBOX_PROMETHEUS } from '../../src/sandbox/azure-monitor-hosts.ts'
import {
  chatHosts,
  SANDBOX_SLACK_TOKEN,
  SANDBOX_TEAMS_SECRET,
  SANDBOX_TEAMS_WEBHOOK,
} from '../../src/sandbox/chat-world.ts'
import { managedPrometheusEmulator } from '../../src/sandbox/emulators/azure-monitor/managed-prometheus.ts'
import type { Emulator, EmulatorContext } from '../../src/sandbox/emulators/emulator.ts'
import { type IssuingAuthority, openAuthority } from '../../src/sandbox/emulators/key-vault/authorities.ts'
import { type KeyVaultEmulator, keyVaultEmulator } from '../../src/sandbox/emulators/key-vault/key-vault.ts'
import { generateKey, type StoredKey } from '../../src/sandbox/emulators/key-vault/keys.ts'
import type { VaultEvent } from '../../src/sandbox/emulators/key-vault/options.ts'
import { SANDBOX_TENANT } from '../../src/sandbox/identities.ts'
import { SANDBOX_SERVICE_PRINCIPAL, sandboxGraph } from '../../src/sandbox/sandbox-directory.ts'
import { SANDBOX_VAULT } from '../../src/sandbox/sandbox-vault.ts'
import { memoryStorage } from '../../src/sandbox/storage.ts'
import { allClusters } from '../../src/sandbox/world/all-clusters.ts'
import type { World } from '../../src/sandbox/world/world.ts'
import type { Settings } from '../../src/settings.ts'
import { isToken, tokenFor } from './app-tokens.ts'
import { withOtherKey } from './wrong-secrets.ts'

/** A vault of certificates and secrets, Azure Monitor, chats, and the directory of people: what a story of certificates has besides. */
export interface AzureSide {
  /** By public host, each with the name of its wire. */
  readonly hosts: Readonly<Record<string, { readonly system: string; readonly emulator: Emulator }>>
  readonly keyVault: KeyVaultEmulator
  /** Names of certificates that the issuer will not sign now. */
  readonly refused: Set<string>
  /** Does the vault give keys that are not the certificates' now? */
  wrongKeys: boolean
  /** What the vault tells Event Grid. */
  onEvent(listener: (event: VaultEvent) => void): void
}

/** Keys of certificates, and a CA: made once a process, for making them is never the same. */
export interface KeyRing {
  readonly keys: readonly StoredKey[]
  readonly authority: IssuingAuthority
}

/** More than the versions of any run: no two of them share a key. */
const KEYS = 200
const EC = { kty: 'EC', curve: 'P-256' } as const

export async function createKeyRing(): Promise<KeyRing> {
  const keys = await Promise.all(Array.from({ length: KEYS }, () => generateKey(EC)))
  return { keys, authority: await openAuthority(memoryStorage().table('authority')) }
}

export const VAULT_AUDIENCE = 'https://vault.azure.net'

/** `issueMs`: how long issuers take. */
export async function createAzureSide(
  context: EmulatorContext & { readonly world: World },
  ring: KeyRing,
  issueMs: number,
): Promise<AzureSide> {
  const refused = new Set<string>()
  const listeners: ((event: VaultEvent) => void)[] = []
  const checkToken = async (token: string, audience: string) => isToken(token, audience, context.now())
  let made = 0
  context.storage.table('key-vault-ca').put('authority', ring.authority)
  const keyVault = keyVaultEmulator(context, {
    tenantId: SANDBOX_TENANT,
    issueMs,
    checkToken: (token) => checkToken(token, VAULT_AUDIENCE),
    refusal: (name) => (refused.has(name) ? 'The issuer does not know this organisation.' : undefined),
    onEvent: (event) => listeners.forEach((listener) => void listener(event)),
    async makeKey(kind) {
      const key = kind.kty === 'EC' && kind.curve === EC.curve ? ring.keys[made % KEYS] : undefined
      made += 1
      return key ?? generateKey(kind)
    },
  })
  const vault: Emulator = async (request) => {
    const answer = await keyVault.handle(request)
    return side.wrongKeys && request.url.pathname.startsWith('/secrets/') ? withOtherKey(answer) : answer
  }
  await putSecret(keyVault, context.now(), SANDBOX_TEAMS_SECRET, SANDBOX_TEAMS_WEBHOOK)
  const graph = sandboxGraph(context, { checkToken } as Parameters<typeof sandboxGraph>[1])
  const monitor = managedPrometheusEmulator({ source: allClusters(context.world), now: context.now, checkToken })
  const chats = Object.entries(chatHosts(context)).map(([host, emulator]) => {
    return [host, { system: `chat/${host.includes('slack') ? 'slack' : 'teams'}`, emulator }] as const
  })
  const side: AzureSide = {
    hosts: {
      [new URL(SANDBOX_VAULT).host]: { system: 'vault', emulator: vault },
      [SANDBOX_PROMETHEUS]: { system: 'monitor', emulator: monitor },
      'graph.microsoft.com': { system: 'graph', emulator: graph },
      ...Object.fromEntries(chats),
    },
    keyVault,
    refused,
    wrongKeys: false,
    onEvent: (listener) => void listeners.push(listener),
  }
  return side
}

async function putSecret({ handle }: KeyVaultEmulator, now: number, name: string, value: string): Promise<void> {
  const { status } = await handle({
    method: 'PUT',
    url: new URL(`${SANDBOX_VAULT}/secrets/${name}?api-version=7.4`),
    headers: { authorization: `Bearer ${tokenFor(VAULT_AUDIENCE, now)}`, 'content-type': 'application/json' },
    body: new TextEncoder().encode(JSON.stringify({ value })),
  })
  if (status !== 200) throw new Error(`the vault answered ${status} to a new secret`)
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
  vaultUrl: SANDBOX_VAULT,
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
