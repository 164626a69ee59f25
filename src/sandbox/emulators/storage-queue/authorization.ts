import { createHmac, timingSafeEqual } from 'node:crypto'
import type { EmulatorRequest } from '../emulator.ts'
import { secretKey } from '../secret-key.ts'
import { QueueError } from './errors.ts'

export interface QueueAccess {
  /** The storage account's name. */
  readonly account: string
  /** Its key, base64. */
  readonly key: string
  /** Says whether an Entra token is good; without it none is. */
  readonly acceptToken?: (token: string) => boolean
}

/**
 * Checks the header `authorization`: `SharedKey account:signature` or `Bearer token`. Throws a 401 or 403. The age of
 * the date is not checked. Protocol: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
 */
export function authorize(request: EmulatorRequest, access: QueueAccess): void {
  const header = request.headers.authorization
  if (!header) throw new QueueError('NoAuthenticationInformation')
  const [scheme, value = ''] = header.split(' ', 2)
  if (scheme === 'Bearer') {
    if (access.acceptToken?.(value)) return
    throw new QueueError('InvalidAuthenticationInfo')
  }
  const expected = Buffer.from(`SharedKey ${access.account}:${sign(request, access)}`)
  const given = Buffer.from(header)
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw new QueueError('AuthenticationFailed')
}

const signedHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
]

function sign({ method, url, headers }: EmulatorRequest, { account, key }: QueueAccess): string {
  const plain = signedHeaders.map((name) => {
    const value = headers[name] ?? ''
    return name === 'content-length' && value === '0' ? '' : value
  })
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([a], [b]) => (withoutHyphens(a) < withoutHyphens(b) ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}`)
  const parameters = [...url.searchParams]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\n${name}:${value}`)
  const resource = `/${account}${url.pathname}${parameters.join('')}`
  const text = [method, ...plain, ...own, resource].join('\n')
  return createHmac('sha256', secretKey(key)).update(text, 'utf8').digest('base64')
}

/** The service sorts headers by culture, where a hyphen weighs nothing. */
function withoutHyphens(name: string): string {
  return name.replaceAll('-', '')
}
