import { createSecretKey, type KeyObject } from 'node:crypto'

const keys = new Map<string, KeyObject>()

/** A base64 key as crypto takes it fastest: made once, for making it anew costs more than a signature. */
export function secretKey(base64: string): KeyObject {
  const known = keys.get(base64) ?? createSecretKey(Buffer.from(base64, 'base64'))
  keys.set(base64, known)
  return known
}
