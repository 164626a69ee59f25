import type { Emulator, EmulatorRequest, EmulatorResponse } from '../emulators/emulator.ts'

/**
 * What lies between a client and an emulator: it may hold a request back, drop it, lose its answer, or give one of its
 * own. `deliver` hands the request over; calling it twice delivers twice. Throw `ConnectionError` for a broken wire.
 */
export type Wire = (request: EmulatorRequest, deliver: () => Promise<EmulatorResponse>) => Promise<EmulatorResponse>

/** A failure below HTTP, with the code a socket would give: `ECONNRESET`, `ECONNREFUSED`, `ENOTFOUND`, `EPIPE`. */
export class ConnectionError extends Error {
  readonly code: string

  constructor(code: string, message: string = code) {
    super(message)
    this.name = 'ConnectionError'
    this.code = code
  }
}

/** The emulator, seen through a wire. */
export function throughWire(emulator: Emulator, wire: Wire): Emulator {
  return (request) => wire(request, () => emulator(request))
}

/**
 * One emulator out of several, chosen by the host of the URL: `name` or `name:port`, the latter first. A host that is
 * not there fails as a name that does not resolve (`ConnectionError` with `ENOTFOUND`).
 */
export function routeByHost(routes: Readonly<Record<string, Emulator>>): Emulator {
  return async (request) => {
    const { host, hostname } = request.url
    const emulator = Object.hasOwn(routes, host) ? routes[host] : Object.hasOwn(routes, hostname) && routes[hostname]
    if (!emulator) throw new ConnectionError('ENOTFOUND', `getaddrinfo ENOTFOUND ${hostname}`)
    return emulator(request)
  }
}

/** The part of AbortSignal that every SDK's own signal type has. */
export interface Signal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** When to stop waiting for an answer. */
export interface Patience {
  readonly signal?: Signal | undefined
  /** Milliseconds; 0 or absent waits for ever. */
  readonly timeoutMs?: number | undefined
}

/**
 * Calls the emulator and stops waiting when the signal fires or the time is up: then throws an Error named
 * `AbortError`, as every SDK expects. The request itself goes on, as it would on a real server.
 */
export async function callWithPatience(
  emulator: Emulator,
  request: EmulatorRequest,
  { signal, timeoutMs = 0 }: Patience,
): Promise<EmulatorResponse> {
  if (signal?.aborted) throw abortError()
  const cleanups: (() => void)[] = []
  const gaveUp = new Promise<never>((_, reject) => {
    const giveUp = () => reject(abortError())
    signal?.addEventListener('abort', giveUp)
    cleanups.push(() => signal?.removeEventListener('abort', giveUp))
    if (timeoutMs > 0) {
      const timer = setTimeout(giveUp, timeoutMs)
      cleanups.push(() => clearTimeout(timer))
    }
  })
  try {
    return await Promise.race([emulator(request), gaveUp])
  } finally {
    for (const cleanup of cleanups) cleanup()
  }
}

/** The body of a response as text (UTF-8). */
export function bodyText(response: EmulatorResponse): string {
  return typeof response.body === 'string' ? response.body : new TextDecoder().decode(response.body)
}

/** A request body given as text or bytes, as bytes; throws TypeError for a stream, a form or anything else. */
export function bodyBytes(body: unknown): Uint8Array {
  if (body === undefined || body === null) return new Uint8Array()
  if (typeof body === 'string') return new TextEncoder().encode(body)
  if (body instanceof Uint8Array) return body
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  throw new TypeError('an in-process transport takes a body of text or bytes only')
}

/** Header names in lower case. */
export function lowerCaseHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

/** The socket code of a failure below HTTP, where there is one. */
export function connectionCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** True for the error that `callWithPatience` gives up with. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function abortError(): Error {
  const error = new Error('The operation was aborted.')
  error.name = 'AbortError'
  return error
}
