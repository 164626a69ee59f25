import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

const waiting = new Map<string, AbortController>()

// With streaming on, requests come to an HTTP server inside the Functions library. The library tells no handler that its
// client has left, and would pull an endless answer for ever. Node itself tells of every server in the process.
subscribe('http.server.request.start', (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
  const invocationId = request.headers['x-ms-invocation-id']
  if (typeof invocationId !== 'string') return
  const gone = new AbortController()
  waiting.set(invocationId, gone)
  response.once('close', () => {
    if (waiting.get(invocationId) === gone) waiting.delete(invocationId)
    if (!response.writableFinished) gone.abort()
  })
})

/** Aborted when the client of this HTTP invocation leaves before it has the whole answer; undefined when nobody can tell. */
export function clientGone(invocationId: string): AbortSignal | undefined {
  return waiting.get(invocationId)?.signal
}
