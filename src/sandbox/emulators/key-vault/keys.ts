import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'

/** What kind of key a policy asks for. */
export type KeyKind =
  | { readonly kty: 'RSA'; readonly size: number }
  | { readonly kty: 'EC'; readonly curve: 'P-256' | 'P-384' | 'P-521' }

/** A private key as the storage keeps it. */
export interface StoredKey {
  readonly kind: KeyKind
  /** PKCS #8 DER, base64. */
  readonly pkcs8: string
}

/** Makes a key, or takes one that is ready (`keyPool`). */
export type MakeKey = (kind: KeyKind) => Promise<StoredKey>

/** A new key of the kind. Throws for a size or curve that Node does not know. */
export async function generateKey(kind: KeyKind): Promise<StoredKey> {
  const { privateKey } =
    kind.kty === 'RSA'
      ? await promisify(generateKeyPair)('rsa', { modulusLength: kind.size })
      : await promisify(generateKeyPair)('ec', { namedCurve: kind.curve })
  return { kind, pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64') }
}

/**
 * Keys that are made once and given out in turn: for many certificates in little time. The n-th asking gets the same key
 * whatever the speed of the machine. `kinds` are those that can be asked for; others are made when they are wanted.
 */
export async function keyPool(kinds: readonly KeyKind[], of = 4): Promise<MakeKey> {
  const pools = new Map<string, { readonly keys: readonly StoredKey[]; next: number }>()
  for (const kind of kinds) {
    const keys = await Promise.all(Array.from({ length: of }, () => generateKey(kind)))
    pools.set(JSON.stringify(kind), { keys, next: 0 })
  }
  return async (kind) => {
    const pool = pools.get(JSON.stringify(kind))
    const key = pool?.keys[pool.next % pool.keys.length]
    if (pool) pool.next += 1
    return key ?? generateKey(kind)
  }
}

/** Both halves, ready to sign certificates with (SHA-256). */
export async function signingPair(key: StoredKey): Promise<webcrypto.CryptoKeyPair> {
  const how = algorithm(key.kind)
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', Buffer.from(key.pkcs8, 'base64'), how, true, ['sign']),
    webcrypto.subtle.importKey('spki', publicDer(key), how, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

export function privateKeyOf(key: StoredKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(key.pkcs8, 'base64'), format: 'der', type: 'pkcs8' })
}

/** SubjectPublicKeyInfo, DER. */
export function publicDer(key: StoredKey): Buffer {
  return createPublicKey(privateKeyOf(key)).export({ format: 'der', type: 'spki' })
}

/** A private key from PEM (PKCS #8, PKCS #1 or SEC 1), with its kind. Throws when it is none or of another kind. */
export function readPrivateKey(pem: string): StoredKey {
  const key = createPrivateKey(pem)
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' }).toString('base64')
  if (key.asymmetricKeyType === 'rsa' && modulusLength) return { kind: { kty: 'RSA', size: modulusLength }, pkcs8 }
  const curve = CURVES[namedCurve ?? '']
  if (curve) return { kind: { kty: 'EC', curve }, pkcs8 }
  throw new Error('a key of this kind is not kept here')
}

const CURVES: Readonly<Record<string, 'P-256' | 'P-384' | 'P-521'>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

/** How keys of this kind sign certificates. */
export function algorithm(kind: KeyKind) {
  return kind.kty === 'RSA'
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    : { name: 'ECDSA', namedCurve: kind.curve, hash: 'SHA-256' }
}
