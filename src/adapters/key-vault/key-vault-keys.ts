import type { KeyClient, KeyVaultKey } from '@azure/keyvault-keys'
import { PortError } from '../../ports/port-error.ts'
import type { VaultKey, VaultKeys } from '../../ports/vault-keys.ts'
import { type Ask, orNone } from './ask-vault.ts'

/** How a key on each curve signs, and how long its signatures are. */
const SIGNATURES = { 'P-256': { name: 'ES256', bytes: 64 }, 'P-384': { name: 'ES384', bytes: 96 } } as const

/** The keys of one vault. */
export function keyVaultKeys(vault: { readonly url: string; readonly system: string }, ask: Ask<KeyClient>): VaultKeys {
  const { url, system } = vault
  return {
    createKey: (name, { curve = 'P-384', hsm, tags }) =>
      ask(async (keys, abortSignal) => {
        const use = { curve, hsm, keyOps: ['sign', 'verify'], exportable: false }
        return keyOf(system, await keys.createEcKey(name, { ...use, enabled: true, tags: { ...tags }, abortSignal }))
      }),
    key: (name, version) =>
      orNone(
        ask(async (keys, abortSignal) => {
          const options = version === undefined ? { abortSignal } : { abortSignal, version }
          return keyOf(system, await keys.getKey(name, options))
        }),
      ),
    sign: ({ id, jwk }, bytes) =>
      ask(async (keys, abortSignal) => {
        const [name, keyVersion] = partsOf(url, system, id)
        const signature = SIGNATURES[jwk.crv]
        const client = keys.getCryptographyClient(name, { keyVersion })
        const { result } = await usable(system, client.signData(signature.name, bytes, { abortSignal }))
        if (result.length === signature.bytes) return result
        const reason = 'BrokenSignature'
        throw new PortError('unavailable', system, `${system} gave a signature of another length`, { reason })
      }),
  }
}

/** Name and version of a key of this vault: our token goes to no address that an id names. */
function partsOf(url: string, system: string, keyId: string): readonly [name: string, version: string] {
  const [, name, version] = /^\/keys\/([0-9a-zA-Z-]{1,127})\/([0-9a-f]{32})$/.exec(keyId.slice(url.length)) ?? []
  if (keyId.startsWith(url) && name !== undefined && version !== undefined) return [name, version]
  const message = `a key of ${system} has an id of the form ${url}/keys/NAME/VERSION`
  throw new PortError('invalid', system, message, { reason: 'KeyId' })
}

/** The SDK looks at the key before it asks the vault to sign, and says in words what stands against it. */
async function usable<T>(system: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const message = error instanceof Error ? error.message : ''
    if (!/^(Key|Operation) .*(can't be used before|expired at|is not supported on key)/.test(message)) throw error
    throw new PortError('denied', system, `the key in ${system} may not sign now`, { reason: 'KeyUnusable' })
  }
}

/** Keys in hardware say so by their type (`EC-HSM`); to what reads JSON Web Keys they are EC. */
function keyOf(system: string, { id = '', key = {}, properties }: KeyVaultKey): VaultKey {
  const { kty, crv, x, y } = key
  const isEc = kty === 'EC' || kty === 'EC-HSM'
  if (!isEc || (crv !== 'P-256' && crv !== 'P-384') || x === undefined || y === undefined) {
    const message = `the key ${properties.name} in ${system} is neither EC P-256 nor EC P-384: give another name`
    throw new PortError('invalid', system, message, { reason: 'KeyKind' })
  }
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  return {
    id,
    version: properties.version ?? '',
    hsm: kty === 'EC-HSM',
    enabled: properties.enabled ?? true,
    jwk: { kty: 'EC', crv, x: text(x), y: text(y) },
    createdAt: (properties.createdOn ?? new Date(0)).toISOString(),
    tags: properties.tags ?? {},
  }
}
