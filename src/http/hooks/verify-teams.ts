import { hmacSha256, isOneOf } from './same-secret.ts'
import type { SignedRequest } from './verify-slack.ts'

/**
 * Did an outgoing webhook of Teams send this? `Authorization: HMAC BASE64` is the HMAC-SHA256 of the body under one of the
 * webhooks' security tokens, which are base64 of the key. It says nothing of time: what comes again is told by the id of
 * the activity. Source: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook.
 */
export function isFromTeams({ headers, body }: SignedRequest, tokens: readonly string[]): boolean {
  const signature = /^HMAC +([A-Za-z0-9+/]{43}=)$/.exec(headers.authorization ?? '')?.[1]
  if (signature === undefined) return false
  return isOneOf(
    signature,
    tokens.map((token) => hmacSha256(Buffer.from(token, 'base64'), body).toString('base64')),
  )
}
