import type { HttpRequest } from '../../src/http/message.ts'
import type { Chance } from '../../src/sandbox/world/chance.ts'
import type { Fleet, Outcome } from './fleet.ts'
import type { Person } from './persons.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A call of the REST API. */
export interface Operation {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** Below `/api/v1`, with its query. */
  readonly path: string
  readonly as: Person
  readonly body?: unknown
  /** Idempotency-Key. */
  readonly key?: string
  /** It comes again: it has had its effect, and must have none now. */
  readonly again?: boolean
}

export interface Reply {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

/** How a call ended: with an answer, or nobody knows. */
export interface Called {
  readonly reply: Reply | undefined
  /** A try before the answer may have had its effect too. */
  readonly doubtful: boolean
}

/** A pipeline that calls the API and tries again while it does not know what became of its call. */
export interface Client {
  call(operation: Operation, tries?: number): Promise<Called>
  /** What another service posts to a hook, once. Resolves with the status; undefined when no answer came. */
  post(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<number | undefined>
}

/** Azure's front door cuts a call off. */
const CUT_OFF_MS = 230_000

export interface ClientOptions {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  readonly fleet: Fleet
  readonly tokens: Readonly<Record<Person, string>>
  /** Told of every answer's text. */
  readonly onAnswer: (text: string) => void
}

export function createClient(options: ClientOptions): Client {
  const { time, chance, trace } = options
  return {
    async call(operation, tries = 8) {
      let doubtful = false
      for (let attempt = 1; attempt <= tries; attempt += 1) {
        const reply = await callOnce(options, operation)
        const said = reply ? `${reply.status} ${String(reply.json.code ?? reply.json.phase ?? '')}` : 'no answer'
        trace.add(`client ${operation.method} ${operation.path} ${said}`)
        if (reply && reply.status < 500 && reply.status !== 429) return { reply, doubtful }
        // 500 may come after the write; so may a cut.
        doubtful = true
        await time.sleep(Math.round(500 + 4000 * chance.next()))
      }
      return { reply: undefined, doubtful: true }
    },
    async post(path, body, headers) {
      const leaving = new AbortController()
      const request = requestFor('POST', new URL(`https://mesh.test${path}`), body, headers, leaving.signal)
      const reply = await send(options, `POST ${path}`, request, leaving)
      trace.add(`client POST ${path} ${reply?.status ?? 'no answer'}`)
      return reply?.status
    },
  }
}

async function callOnce(options: ClientOptions, operation: Operation): Promise<Reply | undefined> {
  const leaving = new AbortController()
  const { method, path } = operation
  const request = requestOf(operation, options.tokens[operation.as], leaving.signal)
  const reply = await send(options, `${method} ${path}`, request, leaving, operation.again)
  return reply && { status: reply.status, json: reply.text === '' ? {} : JSON.parse(reply.text) }
}

/** One request to any of the processes; undefined when nobody knows what became of it. */
async function send(
  { time, fleet, onAnswer }: ClientOptions,
  name: string,
  request: HttpRequest,
  leaving: AbortController,
  again = false,
): Promise<{ readonly status: number; readonly text: string } | undefined> {
  const cut = time.sleep(CUT_OFF_MS).then((): Outcome<never> => ({ kind: 'died' }))
  const call = fleet.run(fleet.pick(), name, (app) => app.http(request), again)
  const outcome = await Promise.race([call, cut])
  if (outcome.kind === 'threw') throw outcome.error
  if (outcome.kind === 'died') {
    leaving.abort()
    return undefined
  }
  const { status, body } = outcome.value
  const text = typeof body === 'string' ? body : ''
  onAnswer(text)
  onAnswer(JSON.stringify(outcome.value.headers))
  return { status, text }
}

function requestOf({ method, path, body, key }: Operation, token: string, signal: AbortSignal): HttpRequest {
  const url = new URL(`https://mesh.test/api/v1${path}`)
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': type }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  }
  return requestFor(method, url, body === undefined ? '' : JSON.stringify(body), headers, signal)
}

function requestFor(
  method: string,
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): HttpRequest {
  const bytes = new TextEncoder().encode(body)
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    headers,
    baseUrl: url.origin,
    body: async (most) => (bytes.length > most ? undefined : bytes),
    signal,
  }
}
