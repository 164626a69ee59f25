import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { isIP, isIPv6, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { PortError } from '../ports/port-error.ts'
import type { Fetch } from './http-answer.ts'
import type { Lookup, OutsideAddresses } from './outside-address.ts'

/** Statuses whose answers have no body. */
const BODILESS = [204, 205, 304]

/**
 * `fetch` for addresses that others chose: it connects to no IP address that the policy refuses, whatever a name means
 * by then. Follows no redirects, keeps no connection and no cookie, takes no compressed answers. Only for texts as URL and
 * body, and plain headers.
 */
export function guardedFetch(addresses: Pick<OutsideAddresses, 'refusalAt'>, lookup: Lookup): Fetch {
  return async (input, { method = 'GET', headers = {}, body, signal } = {}) => {
    const url = new URL(String(input))
    const bytes = Buffer.from(typeof body === 'string' ? body : '')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // Of a name, the connection asks for the addresses; of an address, it asks nothing.
    if (isIP(host)) refuse(url, addresses, [host])
    const options: RequestOptions = {
      method,
      headers: { ...(headers as Record<string, string>), 'content-length': bytes.length },
      agent: false,
      lookup: checkedLookup(url, addresses, lookup),
      ...(signal ? { signal } : {}),
    }
    return send(url, options, bytes)
  }
}

function send(url: URL, options: RequestOptions, body: Buffer): Promise<Response> {
  return new Promise((resolve, reject) => {
    const answer = (message: IncomingMessage) => {
      try {
        resolve(responseOf(message))
      } catch (error) {
        message.destroy()
        reject(error)
      }
    }
    const request = url.protocol === 'https:' ? requestTls(url, options, answer) : requestPlain(url, options, answer)
    request.on('error', reject)
    request.end(body)
  })
}

function responseOf(message: IncomingMessage): Response {
  const { statusCode: status = 0 } = message
  const headers = Object.entries(message.headers).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  if (!BODILESS.includes(status)) return new Response(Readable.toWeb(message) as ReadableStream, { status, headers })
  message.resume()
  return new Response(null, { status, headers })
}

/** Looks a name up once and lets the connection have these very addresses, if they may be called. */
function checkedLookup(url: URL, policy: Pick<OutsideAddresses, 'refusalAt'>, lookup: Lookup): LookupFunction {
  return (host, { all }, done) => {
    lookup(host)
      .then((found) => {
        refuse(url, policy, found)
        const addresses = found.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
        const [first] = addresses
        if (first === undefined) throw new PortError('unavailable', url.host, `${url.host} has no address`)
        return { addresses, first }
      })
      .then(
        ({ addresses, first }) => (all ? done(null, addresses) : done(null, first.address, first.family)),
        (error: Error) => done(error, '', 0),
      )
  }
}

function refuse(url: URL, policy: Pick<OutsideAddresses, 'refusalAt'>, addresses: readonly string[]): void {
  const reason = policy.refusalAt(url, addresses)
  if (reason === undefined) return
  throw new PortError('denied', url.host, `${url.host} is not called: ${reason}`, { reason: 'AddressRefused' })
}
