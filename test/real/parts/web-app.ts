import { createServer, type IncomingMessage } from 'node:http'
import type { Seen } from './traffic.ts'

/**
 * The application behind each sidecar, a program: `web-app.ts VERSION PORT CONTROL_PORT`. On PORT it answers
 * `{ "version", "caller", "seen" }`, where caller is the identity that the sidecar vouches for. `PUT` on CONTROL_PORT changes its behaviour:
 * `{ "failShare": 0.2, "delayMs": 0 }`, share of requests that get 500, spread evenly (exactly every fifth for 0.2), and delay in ms.
 * One request alone asks by its headers: `app-delay-ms`, and `app-fail-tries`, how many tries of it get 503 before one gets 200.
 * `GET` there tells how many requests it has received: `{ "received" }`, copies by a mirror among them (nothing marks them).
 */
const [version, port, controlPort] = process.argv.slice(2)
const behaviour = { failShare: 0, delayMs: 0 }
let owedFailures = 0
let received = 0

function nextStatus(): number {
  owedFailures += behaviour.failShare
  // Sums of shares such as 0.2 fall short of one by a rounding error.
  if (owedFailures < 1 - 1e-9) return 200
  owedFailures -= 1
  return 500
}

function seen({ method = '', url = '', headers }: IncomingMessage): Seen {
  const { host = '', authorization } = headers
  const tries = Number(headers['x-envoy-attempt-count'] ?? 1)
  return { method, path: url, host, tries, token: authorization !== undefined }
}

const app = createServer((request, response) => {
  received += 1
  const { headers } = request
  const saw = seen(request)
  const body = JSON.stringify({ version, caller: headers['x-forwarded-client-cert'] ?? null, seen: saw })
  const status = saw.tries <= Number(headers['app-fail-tries'] ?? 0) ? 503 : nextStatus()
  const answer = () => response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  const delayMs = Number(headers['app-delay-ms'] ?? behaviour.delayMs)
  if (delayMs > 0) setTimeout(answer, delayMs)
  else answer()
})
// Envoy keeps connections open; a server that closes an idle one first would make a request fail now and then.
app.keepAliveTimeout = 3_600_000
app.listen(Number(port), '127.0.0.1')

createServer(async (request, response) => {
  if (request.method === 'GET') return response.end(JSON.stringify({ received }))
  let text = ''
  for await (const chunk of request) text += chunk
  Object.assign(behaviour, JSON.parse(text))
  owedFailures = 0
  response.end(JSON.stringify(behaviour))
}).listen(Number(controlPort), '127.0.0.1')
