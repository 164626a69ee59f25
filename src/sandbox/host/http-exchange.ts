import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RegisteredFunction } from './core-module.ts'
import { httpBindingData, joinHeaders } from './http-binding-data.ts'
import type { RouteMatch } from './http-routes.ts'
import type { TriggerData } from './invoker.ts'

/** One request on its way through the host. */
export interface HttpExchange {
  readonly fn: RegisteredFunction
  readonly match: RouteMatch
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query as sent, and the host the client named. */
  readonly url: URL
  /** The whole body when the request told a length above 0; a chunked body is left in `request`. */
  readonly body: Uint8Array | undefined
}

/** Azure's limit for a request body, 100 MB. */
export const largestBodyBytes = 104_857_600

/** The trigger's data but for its input; the invocation id is the given one. */
export function exchangeData(exchange: HttpExchange, invocationId: string): Omit<TriggerData, 'input'> {
  const headers = joinHeaders(exchange.request.rawHeaders)
  const { match, body } = exchange
  return {
    invocationId,
    traceParent: headers.traceparent,
    traceState: headers.tracestate,
    metadata: httpBindingData({ match, query: exchange.url.searchParams, headers, body }),
  }
}

/** Ends the exchange with a bare status, or breaks the connection when an answer has begun: it must not look whole. */
export function endExchange(response: ServerResponse, status: number): void {
  if (response.destroyed || response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(status, { 'content-length': '0' }).end()
}
