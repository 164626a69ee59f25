import type { Emulator, EmulatorContext } from '../../src/sandbox/emulators/emulator.ts'
import { type IssuingAuthority, openAuthority } from '../../src/sandbox/emulators/key-vault/authorities.ts'
import { type KeyVaultEmulator, keyVaultEmulator } from '../../src/sandbox/emulators/key-vault/key-vault.ts'
import { generateKey, type StoredKey } from '../../src/sandbox/emulators/key-vault/keys.ts'
import type { VaultEvent } from '../../src/sandbox/emulators/key-vault/options.ts'
import { SANDBOX_TENANT } from '../../src/sandbox/identities.ts'
import { SANDBOX_VAULT } from '../../src/sandbox/sandbox-vault.ts'
import { memoryStorage } from '../../src/sandbox/storage.ts'
import { isToken, tokenFor } from './app-tokens.ts'
import { withOtherKey } from './wrong-secrets.ts'

/** Meshwright's vault, with the key that signs webhooks in it. */
export interface VaultSide {
  readonly keyVault: KeyVaultEmulator
  /** The vault as the app reaches it. */
  readonly vault: Emulator
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

/** By what webhooks of steps are signed. */
export const WEBHOOK_KEY = `whsec_${Buffer.from('simulation-key-of-webhooks-32byte').toString('base64')}`

/** `issueMs`: how long issuers take. */
export async function createVaultSide(context: EmulatorContext, ring: KeyRing, issueMs: number): Promise<VaultSide> {
  const refused = new Set<string>()
  const listeners: ((event: VaultEvent) => void)[] = []
  let made = 0
  context.storage.table('key-vault-ca').put('authority', ring.authority)
  const keyVault = keyVaultEmulator(context, {
    tenantId: SANDBOX_TENANT,
    issueMs,
    checkToken: async (token) => isToken(token, VAULT_AUDIENCE, context.now()),
    refusal: (name) => (refused.has(name) ? 'The issuer does not know this organisation.' : undefined),
    onEvent: (event) => listeners.forEach((listener) => void listener(event)),
    async makeKey(kind) {
      const key = kind.kty === 'EC' && kind.curve === EC.curve ? ring.keys[made % KEYS] : undefined
      made += 1
      return key ?? generateKey(kind)
    },
  })
  await putSecret(keyVault, context.now(), 'webhook-signing', WEBHOOK_KEY)
  const side: VaultSide = {
    keyVault,
    async vault(request) {
      const answer = await keyVault.handle(request)
      return side.wrongKeys && request.url.pathname.startsWith('/secrets/') ? withOtherKey(answer) : answer
    },
    refused,
    wrongKeys: false,
    onEvent: (listener) => void listeners.push(listener),
  }
  return side
}

/** Stores a text in the vault; throws when it is refused. */
export async function putSecret({ handle }: KeyVaultEmulator, now: number, name: string, value: string): Promise<void> {
  const { status } = await handle({
    method: 'PUT',
    url: new URL(`${SANDBOX_VAULT}/secrets/${name}?api-version=7.4`),
    headers: { authorization: `Bearer ${tokenFor(VAULT_AUDIENCE, now)}`, 'content-type': 'application/json' },
    body: new TextEncoder().encode(JSON.stringify({ value })),
  })
  if (status !== 200) throw new Error(`the vault answered ${status} to a new secret`)
}
