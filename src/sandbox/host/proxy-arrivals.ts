import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** The header that ties a request to its invocation, in both directions. */
export const invocationIdHeader = 'x-ms-invocation-id'

/** Sees requests arrive at the library's HTTP server, which offers no way to ask. */
export interface ProxyArrivals {
  /** The answer object the library writes to, once the request of this invocation is there. */
  responseOf(invocationId: string): ServerResponse | undefined
  /** From now on this invocation's request is looked out for, until `forget`. */
  expect(invocationId: string): void
  forget(invocationId: string): void
  stop(): void
}

/** Starts to watch, through Node's diagnostics channel for HTTP servers of this process. */
export function watchProxyArrivals(): ProxyArrivals {
  const responses = new Map<string, ServerResponse | undefined>()
  const channel = 'http.server.request.start'
  const onRequest = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const id = request.headers[invocationIdHeader]
    if (typeof id === 'string' && responses.has(id)) responses.set(id, response)
  }
  subscribe(channel, onRequest)
  return {
    responseOf: (id) => responses.get(id),
    expect: (id) => {
      responses.set(id, undefined)
    },
    forget: (id) => {
      responses.delete(id)
    },
    stop: () => unsubscribe(channel, onRequest),
  }
}
