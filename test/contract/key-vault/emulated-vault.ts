import type { TokenCredential } from '@azure/core-auth'
import { CertificateClient } from '@azure/keyvault-certificates'
import { KeyClient } from '@azure/keyvault-keys'
import { SecretClient } from '@azure/keyvault-secrets'
import { keyVaults } from '../../../src/adapters/key-vault/key-vaults.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { Vaults } from '../../../src/ports/vault.ts'
import type { EmulatorRequest, EmulatorResponse, Storage } from '../../../src/sandbox/emulators/emulator.ts'
import { type KeyVaultEmulator, keyVaultEmulator } from '../../../src/sandbox/emulators/key-vault/key-vault.ts'
import { keyPool } from '../../../src/sandbox/emulators/key-vault/keys.ts'
import type { KeyVaultOptions, VaultEvent } from '../../../src/sandbox/emulators/key-vault/options.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { bodyText, type Wire } from '../../../src/sandbox/transports/wire.ts'
import { virtualClock } from '../../unit/adapters/virtual-clock.ts'

export const VAULT_URL = 'https://shop.vault.azure.net'
export const TENANT = '00000000-aaaa-4000-8000-00000000beef'

/** One exchange as it went over the wire. */
export interface Exchange {
  readonly request: EmulatorRequest
  readonly response: EmulatorResponse
  /** `POST /certificates/a/create`. */
  readonly line: string
  readonly answer: string
}

/** An emulated Key Vault with the clients of the SDK and the adapter over it, on a clock that stands still. */
export interface EmulatedVault {
  readonly emulator: KeyVaultEmulator
  readonly vaults: Vaults
  readonly certificates: CertificateClient
  readonly secrets: SecretClient
  readonly keys: KeyClient
  readonly clock: Clock
  readonly exchanges: Exchange[]
  readonly events: VaultEvent[]
  readonly credential: TokenCredential & { readonly scopes: string[]; token: string }
  /** Put between clients and emulator from now on. */
  wire: Wire
  pass(durationMs: number): Promise<void>
}

let pool: ReturnType<typeof keyPool> | undefined

/** The keys of all these vaults come from one pool: making RSA keys takes longer than the tests. */
export async function emulatedVault({
  storage = memoryStorage(),
  ...options
}: Partial<KeyVaultOptions> & { readonly storage?: Storage } = {}): Promise<EmulatedVault> {
  pool ??= keyPool([
    { kty: 'RSA', size: 2048 },
    { kty: 'EC', curve: 'P-256' },
    { kty: 'EC', curve: 'P-384' },
  ])
  const clock = virtualClock()
  const [exchanges, events]: [Exchange[], VaultEvent[]] = [[], []]
  const context = { now: () => clock.now(), random: Math.random, storage }
  const emulator = keyVaultEmulator(context, {
    tenantId: TENANT,
    checkToken: async (token) => token === 'good',
    makeKey: await pool,
    onEvent: (event) => events.push(event),
    ...options,
  })
  const credential = tokens()
  const opened = { wire: (_: EmulatorRequest, deliver: () => Promise<EmulatorResponse>) => deliver() }
  const httpClient = pipelineTransport(async (request) => {
    const response = await opened.wire(request, () => emulator.handle(request))
    const line = `${request.method} ${request.url.pathname}`
    exchanges.push({ request, response, line, answer: bodyText(response) })
    return response
  })
  const sdk = { httpClient, retryOptions: { maxRetries: 0 } }
  return Object.assign(opened, {
    emulator,
    vaults: keyVaults({ credential, httpClient, fetch }, clock),
    certificates: new CertificateClient(VAULT_URL, credential, sdk),
    secrets: new SecretClient(VAULT_URL, credential, sdk),
    keys: new KeyClient(VAULT_URL, credential, sdk),
    clock,
    exchanges,
    events,
    credential,
    pass: (durationMs: number) => clock.pass(durationMs),
  })
}

function tokens() {
  const scopes: string[] = []
  return {
    scopes,
    token: 'good',
    async getToken(scope: string | string[]) {
      scopes.push(...[scope].flat())
      return { token: this.token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }
    },
  }
}
