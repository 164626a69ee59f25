import { createHmac } from 'node:crypto'

/** What Standard Webhooks asks of a symmetric key: 24 to 64 bytes. */
const LEAST_BYTES = 24
const MOST_BYTES = 64
const MOST_KEYS = 2

/**
 * The keys of a secret: `whsec_` and base64 (the prefix may be left out), or two of them with a space between while one takes
 * the place of the other. Undefined when it is none.
 */
export function signingKeys(secret: string): readonly Uint8Array[] | undefined {
  const parts = secret.trim().split(/\s+/)
  const keys = parts.map((part) => {
    const text = part.replace(/^whsec_/, '')
    return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0)
  })
  const fit = keys.every(({ length }) => length >= LEAST_BYTES && length <= MOST_BYTES)
  return fit && keys.length <= MOST_KEYS ? keys : undefined
}

/**
 * The headers by which a receiver knows that a body is ours and new: Standard Webhooks 1.0.0, HMAC-SHA256 over
 * `id.timestamp.body`, one signature a key (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md).
 */
export function signatureHeaders(
  keys: readonly Uint8Array[],
  id: string,
  now: number,
  body: string,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000))
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  )
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
