import { createECDH, createHash } from 'node:crypto'
import { privateKeyOf, type StoredKey } from './keys.ts'

type Curve = 'P-256' | 'P-384' | 'P-521'

/** Each curve by OpenSSL's name, the bytes of a number, and its order (FIPS 186-4, D.1.2). */
const CURVES: Readonly<Record<Curve, { readonly name: string; readonly bytes: number; readonly order: bigint }>> = {
  'P-256': {
    name: 'prime256v1',
    bytes: 32,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    name: 'secp384r1',
    bytes: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  'P-521': {
    name: 'secp521r1',
    bytes: 66,
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
}

/**
 * The signature r‖s of a *digest*, which is all that a vault is sent: Node signs whole messages only. The one-time number
 * follows from key and digest, so that a simulation repeats. For emulated keys only: it takes no care of timing.
 * FIPS 186-4, 6.4.
 */
export function signDigest(key: StoredKey, curve: Curve, digest: Uint8Array): Buffer {
  const { name, bytes, order } = CURVES[curve]
  const { d = '' } = privateKeyOf(key).export({ format: 'jwk' })
  const secret = numberOf(Buffer.from(d, 'base64url'))
  const wanted = numberOf(digest.subarray(0, bytes))
  for (let turn = 0; ; turn += 1) {
    const once = oneTimeNumber(d, digest, turn, order)
    const point = createECDH(name)
    point.setPrivateKey(bytesOf(once, bytes))
    const r = numberOf(point.getPublicKey().subarray(1, 1 + bytes)) % order
    const s = (inverse(once, order) * (wanted + r * secret)) % order
    if (r !== 0n && s !== 0n) return Buffer.concat([bytesOf(r, bytes), bytesOf(s, bytes)])
  }
}

/** From 1 to below the order; more bytes than it has make all of them as likely. */
function oneTimeNumber(secret: string, digest: Uint8Array, turn: number, order: bigint): bigint {
  const parts = [0, 1].map((part) => createHash('sha512').update(`${secret} ${turn} ${part} `).update(digest).digest())
  return (numberOf(Buffer.concat(parts)) % (order - 1n)) + 1n
}

/** By Fermat's little theorem: the order is a prime. */
function inverse(value: bigint, prime: bigint): bigint {
  let [result, base] = [1n, value % prime]
  for (let exponent = prime - 2n; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % prime
    base = (base * base) % prime
  }
  return result
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
}

function bytesOf(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
}
