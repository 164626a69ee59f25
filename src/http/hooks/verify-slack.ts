import { hmacSha256, isOneOf } from './same-secret.ts'

/** Slack asks to refuse what is older. */
const WINDOW_S = 300

/** What a hook looks at before it looks into the body. */
export interface SignedRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Exactly as it was sent. */
  readonly body: Uint8Array
}

/**
 * Did Slack send this, just now? `X-Slack-Signature: v0=HEX` is the HMAC-SHA256 of `v0:TIMESTAMP:BODY` under one of the
 * app's signing secrets. Source: docs.slack.dev/authentication/verifying-requests-from-slack. `now` in epoch milliseconds.
 */
export function isFromSlack(request: SignedRequest, secrets: readonly string[], now: number): boolean {
  const { 'x-slack-signature': signature = '', 'x-slack-request-timestamp': timestamp = '' } = request.headers
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > WINDOW_S) return false
  const expected = secrets.map((secret) => {
    return `v0=${hmacSha256(secret, `v0:${timestamp}:`, request.body).toString('hex')}`
  })
  return isOneOf(signature, expected)
}
