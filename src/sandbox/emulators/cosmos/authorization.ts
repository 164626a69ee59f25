import { createHmac, timingSafeEqual } from 'node:crypto'
import type { EmulatorRequest } from '../emulator.ts'
import { secretKey } from '../secret-key.ts'
import { CosmosError } from './errors.ts'

export interface CosmosAccess {
  /** The account's master key, base64. */
  readonly key: string
  /** Says whether an Entra token is good; without it none is. */
  readonly acceptToken?: (token: string) => boolean
}

/**
 * Checks the header `authorization`: `type=master` (an HMAC over method, resource and date) or `type=aad` (a token).
 * Throws a 401. The age of the date is not checked.
 * Protocol: learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
 */
export function authorize(request: EmulatorRequest, access: CosmosAccess): void {
  const header = request.headers.authorization
  if (!header)
    throw unauthorized('Required Header authorization is missing. Ensure a valid Authorization token is passed.')
  const match = /^type=(\w+)&ver=1\.0&sig=(.+)$/.exec(safeDecode(header))
  if (!match) throw unauthorized('The authorization header has an invalid format.')
  const [, type, signature = ''] = match
  if (type === 'aad' && access.acceptToken?.(signature)) return
  if (type === 'master' && sameText(signature, sign(request, access.key))) return
  throw unauthorized(
    "The input authorization token can't serve the request. The wrong key is being used or the expected payload is not built as per the protocol.",
  )
}

function sign({ method, url, headers }: EmulatorRequest, key: string): string {
  const segments = url.pathname.split('/').filter(Boolean).map(safeDecode)
  const isFeed = segments.length % 2 === 1
  const type = (isFeed ? segments.at(-1) : segments.at(-2)) ?? ''
  const link = (isFeed ? segments.slice(0, -1) : segments).join('/')
  const date = headers['x-ms-date'] ?? headers.date ?? ''
  const text = `${method.toLowerCase()}\n${type.toLowerCase()}\n${link}\n${date.toLowerCase()}\n\n`
  return createHmac('sha256', secretKey(key)).update(text, 'utf8').digest('base64')
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function unauthorized(message: string): CosmosError {
  return new CosmosError(401, 'Unauthorized', message)
}
