import { randomUUID } from 'node:crypto'
import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream'
import type { HostLog } from './host-log.ts'
import { endExchange, exchangeData, type HttpExchange } from './http-exchange.ts'
import type { Invoker } from './invoker.ts'
import { invocationIdHeader, type ProxyArrivals } from './proxy-arrivals.ts'

/** What a streaming exchange needs: the library's own HTTP server and the connections to it. */
export interface ProxyOptions {
  readonly invoker: Invoker
  /** The address the library gave as capability `HttpUri`. */
  readonly target: URL
  readonly agent: Agent
  readonly arrivals: ProxyArrivals
  readonly log: HostLog
}

const hopByHop = new Set(
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade'
    .split(' ')
    .concat('expect', invocationIdHeader, 'x-forwarded-host', 'x-forwarded-proto'),
)

/**
 * Carries an exchange as Azure does once an app has asked for `enableHttpStream`: the invocation goes to the library without
 * a body, and the request itself to the library's HTTP server, the two tied by a header. Both bodies stream. When the
 * client goes away, the request to the library is broken off: the library's answer object is closed. A handler that throws
 * or returns nothing gives 500 (Azure keeps the client waiting for up to 240 s instead).
 */
export async function proxyExchange(exchange: HttpExchange, options: ProxyOptions): Promise<void> {
  const { invoker, arrivals, log } = options
  const invocationId = randomUUID()
  arrivals.expect(invocationId)
  const forward = startForward(exchange, invocationId, options)
  const lost = new Promise<Error>((resolve) => {
    // Once the request is with the library its handler runs to its end, whatever becomes of the connection.
    forward.once('close', () => {
      if (!arrivals.responseOf(invocationId)) resolve(new Error('The request did not reach the app'))
    })
  })
  exchange.response.once('close', () => forward.destroy())
  const data = { ...exchangeData(exchange, invocationId), input: { http: {} }, abandoned: lost }
  const outcome = await invoker.invoke(exchange.fn, data)
  const answered = arrivals.responseOf(invocationId)?.writableEnded === true
  arrivals.forget(invocationId)
  if (outcome.succeeded && answered) return
  if (outcome.succeeded) {
    const functionName = exchange.fn.metadata.name
    const message = 'The handler returned nothing; with HTTP streaming Azure would leave the client waiting'
    log({ level: 'error', category: 'system', functionName, invocationId, message })
  }
  forward.destroy()
  endExchange(exchange.response, 500)
}

function startForward(exchange: HttpExchange, invocationId: string, options: ProxyOptions): ClientRequest {
  const { request, body } = exchange
  const forward = httpRequest({
    agent: options.agent,
    host: options.target.hostname,
    port: options.target.port,
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: forwardHeaders(exchange, invocationId),
  })
  forward.once('response', (upstream) => passOn(upstream, exchange))
  // What a failure means is decided where the invocation ends.
  forward.on('error', () => {})
  if (body) forward.end(body)
  else if (request.headers['transfer-encoding'] === undefined) forward.end()
  else pipeline(request, forward, () => {})
  return forward
}

function passOn(upstream: IncomingMessage, exchange: HttpExchange): void {
  const { response } = exchange
  response.writeHead(upstream.statusCode ?? 500, endToEnd(upstream.rawHeaders))
  response.flushHeaders()
  // A failure on either side destroys both: the client must see a broken answer, not a short one.
  pipeline(upstream, response, () => {})
}

function forwardHeaders(exchange: HttpExchange, invocationId: string): string[] {
  const { request, body, url } = exchange
  const headers = endToEnd(request.rawHeaders)
  if (body === undefined && request.headers['transfer-encoding'] !== undefined)
    headers.push('transfer-encoding', 'chunked')
  headers.push('x-forwarded-host', url.host, 'x-forwarded-proto', 'http', invocationIdHeader, invocationId)
  return headers
}

/** Raw header lines without those that belong to one connection only. Lines that came twice stay two. */
function endToEnd(rawHeaders: readonly string[]): string[] {
  const named = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'connection') continue
    for (const name of (rawHeaders[index + 1] ?? '').split(',')) named.add(name.trim().toLowerCase())
  }
  const kept: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const lower = name.toLowerCase()
    if (!hopByHop.has(lower) && !named.has(lower)) kept.push(name, rawHeaders[index + 1] ?? '')
  }
  return kept
}
