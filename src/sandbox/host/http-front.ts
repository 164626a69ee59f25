import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RegisteredFunction } from './core-module.ts'
import { endExchange, type HttpExchange, largestBodyBytes } from './http-exchange.ts'
import { createRouteTable, type RouteTable } from './http-routes.ts'
import { triggerOf } from './invocation.ts'

export interface HttpFrontOptions {
  readonly functions: ReadonlyMap<string, RegisteredFunction>
  readonly routePrefix: string
  /** 0 for any free one. */
  readonly port: number
  readonly hostname: string
  /** Runs the function and writes the answer. Must not reject. */
  readonly carry: (exchange: HttpExchange) => Promise<void>
}

/** The host's own HTTP server. */
export interface HttpFront {
  readonly url: string
  /** New connections and requests are refused from now on (503); those under way go on. */
  refuse(): void
  /** Ends all connections, those with work under way too. */
  close(): Promise<void>
}

/** Serves all HTTP triggers. Rejects when a route is impossible or the port is taken. */
export async function startHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  const routes = routesOf(options)
  let refusing = false
  const server = createServer((request, response) => {
    if (refusing) return endExchange(response, 503)
    handle(options, routes, request, response).catch(() => endExchange(response, 500))
  })
  // Server-sent events and long uploads take as long as they take; the app's own limits end them.
  server.requestTimeout = 0
  // A client that keeps its connection for its next request must not find it closed in that moment.
  server.keepAliveTimeout = 65_000
  server.listen(options.port, options.hostname)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname}:${port}`,
    refuse: () => {
      refusing = true
      server.closeIdleConnections()
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function routesOf(options: HttpFrontOptions): RouteTable {
  const inputs = [...options.functions.values()].map((fn) => ({ fn, trigger: triggerOf(fn).binding }))
  const http = inputs.filter(({ trigger }) => trigger.type.toLowerCase() === 'httptrigger')
  return createRouteTable(
    options.routePrefix,
    http.map(({ fn, trigger }) => ({
      functionName: fn.metadata.name,
      route: typeof trigger.route === 'string' ? trigger.route : '',
      methods: Array.isArray(trigger.methods) ? trigger.methods.map(String) : ['GET', 'POST'],
    })),
  )
}

async function handle(
  options: HttpFrontOptions,
  routes: RouteTable,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = urlOf(request)
  if (!url) return endExchange(response, 400)
  const match = routes(request.method ?? 'GET', url.pathname)
  const fn = match && options.functions.get(match.functionName)
  if (!match || !fn) return endExchange(response, 404)
  const length = Number(request.headers['content-length'] ?? '0')
  if (length > largestBodyBytes) return endExchange(response, 413)
  const body = length > 0 ? await readBody(request) : undefined
  await options.carry({ fn, match, request, response, url, body })
}

function urlOf(request: IncomingMessage): URL | undefined {
  const target = request.url ?? '/'
  return target.startsWith('/')
    ? (URL.parse(`http://${request.headers.host ?? 'localhost'}${target}`) ?? undefined)
    : undefined
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}
