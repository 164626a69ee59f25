import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Are two secrets, or two signatures, the same? Takes the same time wherever they differ, and whatever their lengths. */
export function isSame(given: string | Uint8Array, wanted: string | Uint8Array): boolean {
  return timingSafeEqual(sha256(given), sha256(wanted))
}

/** Is it one of those? Every one is looked at, so that the time does not tell which it is. */
export function isOneOf(given: string | Uint8Array, wanted: readonly (string | Uint8Array)[]): boolean {
  return wanted.filter((one) => isSame(given, one)).length > 0
}

/** HMAC-SHA256 over parts that follow each other. */
export function hmacSha256(key: string | Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

function sha256(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest()
}
