import { createHmac } from 'node:crypto'
import type { EmulatorRequest } from '../emulators/emulator.ts'
import { secretKey } from '../emulators/secret-key.ts'
import type { Send } from './send.ts'

/** An account's name and key (base64). */
export interface AccountKey {
  readonly account: string
  readonly key: string
}

/**
 * Signs requests to Cosmos DB with the account's master key. `now` in milliseconds since the epoch.
 * https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
 */
export function signedForCosmos(send: Send, key: string, now: () => number): Send {
  return (request) => {
    const date = new Date(now()).toUTCString()
    const segments = request.url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
    const isList = segments.length % 2 === 1
    const type = segments.at(isList ? -1 : -2) ?? ''
    const link = (isList ? segments.slice(0, -1) : segments).join('/')
    const text = [request.method.toLowerCase(), type, link, date.toLowerCase(), '', ''].join('\n')
    const authorization = encodeURIComponent(`type=master&ver=1.0&sig=${hmac(key, text)}`)
    return send({ ...request, headers: { ...request.headers, 'x-ms-date': date, authorization } })
  }
}

/**
 * Signs requests to a storage account's queues with its shared key. `now` in milliseconds since the epoch.
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function signedForQueues(send: Send, { account, key }: AccountKey, now: () => number): Send {
  return (request) => {
    const length = request.body.byteLength > 0 ? { 'content-length': String(request.body.byteLength) } : {}
    const headers = { ...request.headers, ...length, 'x-ms-date': new Date(now()).toUTCString() }
    const signature = hmac(key, queueText({ ...request, headers }, account))
    return send({ ...request, headers: { ...headers, authorization: `SharedKey ${account}:${signature}` } })
  }
}

// The headers whose values are signed without their names; the date is told by x-ms-date.
const plainHeaders = 'content-encoding content-language content-length content-md5 content-type date if-modified-since'
  .split(' ')
  .concat('if-match', 'if-none-match', 'if-unmodified-since', 'range')

function queueText(request: EmulatorRequest, account: string): string {
  const { method, url, headers } = request
  const plain = plainHeaders.map((name) => headers[name] ?? '')
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${headers[name]}`)
  const query = [...url.searchParams].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value}`)
  return [method, ...plain, ...own, `/${account}${url.pathname}`, ...query].join('\n')
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', secretKey(key)).update(text, 'utf8').digest('base64')
}
