import { hmacSha256, isOneOf } from './same-secret.ts'
import type { SignedRequest } from './verify-slack.ts'

/** Of signatures with a time in them. */
const WINDOW_S = 300
/** The name that docs/chatops.md gives Grafana for its timestamp: Grafana has none of its own. */
const TIMESTAMP_HEADER = 'x-grafana-alerting-timestamp'

/** Does the call carry one of the secrets, as `Bearer SECRET` or as the password of `Basic`? */
export function hasAlertSecret({ headers }: SignedRequest, secrets: readonly string[]): boolean {
  const [, scheme = '', credentials = ''] = /^(bearer|basic) +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  if (credentials === '') return false
  return isOneOf(scheme.toLowerCase() === 'bearer' ? credentials : passwordOf(credentials), secrets)
}

function passwordOf(credentials: string): string {
  const text = Buffer.from(credentials, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? '' : text.slice(colon + 1)
}

/**
 * Did Grafana sign this with one of the secrets? `X-Grafana-Alerting-Signature` is the HMAC-SHA256 of the body as hex, or
 * of `TIMESTAMP:BODY` where a timestamp header is set up; then it must be of now. `now` in epoch milliseconds.
 * Source: grafana.com/docs/grafana/latest/alerting, webhook notifier, "HMAC signature".
 */
export function isSignedByGrafana({ headers, body }: SignedRequest, secrets: readonly string[], now: number): boolean {
  const signature = headers['x-grafana-alerting-signature']
  const timestamp = headers[TIMESTAMP_HEADER]
  if (signature === undefined) return false
  if (timestamp !== undefined) {
    if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now / 1000 - Number(timestamp)) > WINDOW_S) return false
  }
  const before = timestamp === undefined ? '' : `${timestamp}:`
  return isOneOf(
    signature.toLowerCase(),
    secrets.map((secret) => hmacSha256(secret, before, body).toString('hex')),
  )
}
