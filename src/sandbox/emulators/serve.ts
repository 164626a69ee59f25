import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Emulator, EmulatorResponse } from './emulator.ts'

const maxBodyBytes = 8 * 1024 * 1024
const maxConnections = 512
const headersTimeoutMs = 10_000
const requestTimeoutMs = 60_000

export interface ServeOptions {
  /** 0 takes any free port. */
  readonly port: number
  readonly host?: string
  /** PEM texts; with them the emulator speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Told of every failure inside the emulator; the client only sees a 500. */
  readonly onError?: (error: unknown) => void
}

export interface Served {
  /** `http://host:port`, with no slash at the end. */
  readonly url: string
  /** Ends open connections and frees the port; a second call does nothing. */
  close(): Promise<void>
}

/**
 * Puts an emulator on a port. Bodies over 8 MiB are answered 413, slow requests are cut off (10 s for headers, 60 s in
 * all), and there are at most 512 connections. Rejects when the port is taken.
 */
export async function serve(emulator: Emulator, options: ServeOptions): Promise<Served> {
  const { port, host = '127.0.0.1', tls } = options
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    void answer(emulator, request, response, tls ? 'https' : 'http', options.onError)
  }
  const limits = { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }
  const server = tls ? createTlsServer({ ...tls, ...limits }, listener) : createServer(limits, listener)
  server.maxConnections = maxConnections
  await listen(server, port, host)
  const { port: taken } = server.address() as AddressInfo
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `${tls ? 'https' : 'http'}://${name}:${taken}`, close: () => close(server) }
}

async function answer(
  emulator: Emulator,
  request: IncomingMessage,
  response: ServerResponse,
  scheme: string,
  onError?: (error: unknown) => void,
): Promise<void> {
  try {
    const body = await readBody(request)
    if (!body) return send(response, { status: 413, headers: { connection: 'close' }, body: 'request body too large' })
    const url = new URL(`${scheme}://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`)
    const headers = joinHeaders(request)
    send(response, await emulator({ method: request.method ?? 'GET', url, headers, body }))
  } catch (error) {
    // A broken wire, as an emulator that plays dead throws it: the client sees its connection reset.
    if ((error as { code?: unknown }).code === 'ECONNREFUSED') return void request.socket.destroy()
    onError?.(error)
    if (response.headersSent || response.destroyed) return void response.destroy()
    send(response, { status: 500, headers: {}, body: 'the emulator failed' })
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function joinHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

function send(response: ServerResponse, { status, headers, body }: EmulatorResponse): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const length = status === 204 || status === 304 ? {} : { 'content-length': String(bytes.length) }
  response.writeHead(status, { ...headers, ...length }).end(bytes)
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
