import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { SandboxPerson } from '../../../src/sandbox/identities.ts'
import type { SandboxFile } from '../../../src/sandbox/sandbox-file.ts'
import { type SandboxProcess, startSandboxProcess } from '../../../src/sandbox/sandbox-process.ts'
import { until } from './until.ts'

/** An answer of the API. The caller says what it expects the body to be. */
export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface CallOptions {
  /** JSON; `text` is sent as it is. */
  readonly body?: unknown
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Whose token; a `token` is sent as it is. Default admin. */
  readonly as?: SandboxPerson
  readonly token?: string
}

/** `npm start` in a child process and a temporary folder, and a client for it. */
export interface Product {
  readonly file: SandboxFile
  readonly folder: string
  /** Calls the API; `path` begins after `/api/v1`. */
  call<T = unknown>(method: string, path: string, options?: CallOptions): Promise<Answer<T>>
  /** Plays with the simulated clusters; `path` begins after `/world`. Throws unless it is 2xx. */
  world<T = unknown>(method: string, path: string, body?: unknown): Promise<T>
  rollout(id: string): Promise<RolloutView>
  /** The rollout once `accept` takes it; what it was last when it never does is in the error. */
  rolloutWhen(id: string, accept: (rollout: RolloutView) => boolean): Promise<RolloutView>
  /** Ends it with kill -9 or as Ctrl+C does, and starts it again on the same folder. */
  restart(how: 'kill' | 'stop'): Promise<void>
  /** Stops it and deletes its folder. */
  close(): Promise<void>
}

/** Starts a product. Steps of rollouts are short: a write counts as live after one second. */
export async function startProduct(...args: readonly string[]): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-e2e-'))
  const start = () =>
    startSandboxProcess({ folder, args: ['--port', '0', '--quiet', ...args], env: { MESHWRIGHT_SETTLE: '1s' } })
  let running: SandboxProcess = await start()
  const call = <T>(method: string, path: string, options: CallOptions = {}) =>
    callApi<T>(running.file, method, path, options)
  const rollout = async (id: string) => (await call<RolloutView>('GET', `/rollouts/${id}`)).body
  return {
    get file() {
      return running.file
    },
    folder,
    call,
    world: (method, path, body) => callWorld(`${running.file.world}${path}`, method, body),
    rollout,
    rolloutWhen: (id, accept) => until(() => rollout(id), accept),
    async restart(how) {
      await running[how]()
      running = await start()
    },
    async close() {
      await running.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function callApi<T>(
  file: SandboxFile,
  method: string,
  path: string,
  { body, text, headers = {}, as = 'admin', token = file.tokens[as] }: CallOptions,
): Promise<Answer<T>> {
  const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(`${file.baseUrl}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  })
  const received = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: (received === '' ? undefined : JSON.parse(received)) as T,
  }
}

async function callWorld<T>(url: string, method: string, body: unknown): Promise<T> {
  const response = await fetch(url, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as T
}
