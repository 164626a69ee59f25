/**
 * What every emulator is: a function from an HTTP request to an HTTP answer. It knows nothing of sockets, so the same
 * emulator serves on a port (`serve.ts`) or in process behind an SDK's injected transport (`../transports/`).
 */
export interface EmulatorRequest {
  readonly method: string
  /** Absolute; the host part is whatever the client was told to call. */
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface EmulatorResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export type Emulator = (request: EmulatorRequest) => Promise<EmulatorResponse>

/** What an emulator may use of the outside: time, chance and a place to keep things. */
export interface EmulatorContext {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** A number in [0, 1). */
  readonly random: () => number
  readonly storage: Storage
}

/** Named tables of JSON values. In memory for tests, in SQLite for the sandbox (survives kill -9). */
export interface Storage {
  table(name: string): Table
  close(): void
}

/** Keys sort by UTF-16 code unit. Values are copied in and out as JSON: no caller can change a stored value by reference. */
export interface Table {
  get(key: string): unknown
  put(key: string, value: unknown): void
  delete(key: string): boolean
  /** In key order; `prefix` narrows. */
  entries(prefix?: string): Iterable<readonly [key: string, value: unknown]>
}

/** A JSON answer; the header `content-type` may be overridden. */
export function jsonResponse(status: number, value: unknown, headers: Record<string, string> = {}): EmulatorResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

/** The request's body as JSON; throws SyntaxError when it is none. */
export function jsonBody(request: EmulatorRequest): unknown {
  return JSON.parse(new TextDecoder().decode(request.body))
}
