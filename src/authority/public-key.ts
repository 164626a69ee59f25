import { createPublicKey, type KeyObject } from 'node:crypto'

/** SubjectPublicKeyInfo of a key, DER: equal for the two halves of one pair. */
export function publicBytes(key: KeyObject): Buffer {
  const half = key.type === 'private' ? createPublicKey(key) : key
  return half.export({ format: 'der', type: 'spki' })
}

/** The public half of an EC key, as a JSON Web Key. Numbers are base64url. */
export interface EcJwk {
  readonly kty: 'EC'
  readonly crv: string
  readonly x: string
  readonly y: string
}

/** SubjectPublicKeyInfo of a JSON Web Key, DER: what a vault tells of its key, for `issueRoot`. Throws for a point that is not on the curve. */
export function spkiOf({ kty, crv, x, y }: EcJwk): Uint8Array {
  return publicBytes(createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' }))
}
