import type { EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { type EventGridEmulator, eventGridEmulator, type PostEvents } from './emulators/event-grid/event-grid.ts'
import { type KeyVaultEmulator, keyVaultEmulator } from './emulators/key-vault/key-vault.ts'
import type { MakeKey } from './emulators/key-vault/keys.ts'
import type { KeyVaultOptions, VaultEvent } from './emulators/key-vault/options.ts'
import type { HostLog } from './host/host-log.ts'
import { SANDBOX_TENANT } from './identities.ts'

export const SANDBOX_VAULT = 'https://sandbox.vault.azure.net'
const AUDIENCE = 'https://vault.azure.net'
const GROUP =
  '/subscriptions/00000000-eeee-4000-8000-000000000001/resourceGroups/sandbox/providers/Microsoft.KeyVault/vaults'
/** Its ARM id. */
export const SANDBOX_VAULT_ID = `${GROUP}/sandbox`

/** The emulated Key Vault, and the Event Grid that tells of its certificates. */
export interface SandboxVault {
  readonly keyVault: KeyVaultEmulator
  readonly eventGrid: EventGridEmulator
  /** Does what is due in both: operations end, events are sent. */
  advance(): Promise<void>
}

export interface SandboxVaultOptions extends Pick<KeyVaultOptions, 'issueMs' | 'limits' | 'refusal'> {
  readonly makeKey?: MakeKey
  /** How events reach webhooks; by HTTP when left out. */
  readonly post?: PostEvents
}

export function sandboxVault(
  context: EmulatorContext,
  entra: Pick<EntraEmulator, 'checkToken'>,
  { post = postByHttp, ...options }: SandboxVaultOptions = {},
): SandboxVault {
  const eventGrid = eventGridEmulator(context, post)
  const keyVault = keyVaultEmulator(context, {
    ...options,
    tenantId: SANDBOX_TENANT,
    checkToken: (token) => entra.checkToken(token, AUDIENCE),
    onEvent: (event) => eventGrid.publish(gridEventOf(event, context.now())),
  })
  let running: Promise<void> | undefined
  return {
    keyVault,
    eventGrid,
    advance() {
      // One at a time, or an event would be sent twice.
      running ??= keyVault
        .advance()
        .then(() => eventGrid.deliver())
        .finally(() => {
          running = undefined
        })
      return running
    },
  }
}

/** Has Event Grid tell the app of the vault's certificates. Not to be told is no reason not to start: a scan finds the same. */
export async function subscribeToVault(vault: SandboxVault, appUrl: string, key: string, log: HostLog): Promise<void> {
  try {
    await vault.eventGrid.subscribe('meshwright', `${appUrl}/hooks/key-vault`, { 'x-meshwright-key': key })
  } catch (error) {
    log({ level: 'warning', category: 'system', message: `No events of the emulated Key Vault: ${error}` })
  }
}

/** An event as Key Vault gives it to Event Grid: learn.microsoft.com/azure/event-grid/event-schema-key-vault. */
export function gridEventOf(event: VaultEvent, now: number): Parameters<EventGridEmulator['publish']>[0] {
  const { type, host, name, version, nbf, exp } = event
  const [vault = ''] = host.split('.')
  return {
    topic: `${GROUP}/${vault}`,
    subject: name,
    eventType: `Microsoft.KeyVault.${type}`,
    eventTime: new Date(now).toISOString(),
    data: {
      Id: `https://${host}/certificates/${name}/${version}`,
      VaultName: vault,
      ObjectType: 'Certificate',
      ObjectName: name,
      Version: version,
      NBF: nbf,
      EXP: exp,
    },
    dataVersion: '1',
  }
}

const POST_MS = 30_000

const postByHttp: PostEvents = async (url, headers, body) => {
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(POST_MS) })
  return { status: answer.status, body: await answer.text() }
}
