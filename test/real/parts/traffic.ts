import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'

/** One request's answer as the client saw it. */
export interface Answer {
  /** When it was sent, milliseconds since the epoch. */
  readonly at: number
  readonly durationMs: number
  /** HTTP status; 0 if there was no answer at all. */
  readonly status: number
  /** The version that answered; null if the mesh answered itself, or nobody. */
  readonly version: string | null
  /** The identity of the caller that the server's sidecar vouches for, as in `x-forwarded-client-cert`. */
  readonly caller?: string
  /** What else of the request came to the application. */
  readonly seen?: Seen
  /** `name=value` of a cookie that came with it. */
  readonly cookie?: string
  /** Where a redirect sends the caller. */
  readonly location?: string
  /** The start of the body where no version answered, or the error. */
  readonly detail?: string
}

/** A request as the application saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly host: string
  /** Which try it was, counted from 1 by the caller's sidecar. */
  readonly tries: number
  /** Did a token come with it? */
  readonly token: boolean
}

/** Counts of a bundle of answers. */
export interface Share {
  readonly total: number
  /** Requests by the version that answered; `none` where no version did. */
  readonly byVersion: Readonly<Record<string, number>>
  /** Requests by status; `0` is no answer. */
  readonly byStatus: Readonly<Record<string, number>>
}

/** A steady load in the background. */
export interface Load<One = Answer> {
  /** All answers so far, in the order of arrival. */
  readonly answers: readonly One[]
  /** Requests that were not sent because too many were still open. */
  readonly skipped: () => number
  /** Ends the load and resolves when the last open request has its answer. */
  stop(): Promise<readonly One[]>
}

export interface LoadOptions {
  readonly perSecond: number
  /** It ends by itself after this time. */
  readonly seconds: number
  /** Requests that are open at once; 64 when left out. */
  readonly maxOpen?: number
}

/** Headers besides the host. */
export type Headers = Readonly<Record<string, string>>

/** What is asked for; `GET /` when left out. */
export interface Target {
  readonly method?: string
  /** With its query, if any. */
  readonly path?: string
}

/** Sends requests to a host of the mesh. */
export interface Client {
  send(headers?: Headers, target?: Target): Promise<Answer>
  /** Sends `n` requests, eight at a time, and counts their answers. */
  requestShare(n: number, headers?: Headers, target?: Target): Promise<Share>
  /** Sends `perSecond` requests for at most `seconds`; it ends by itself. At most `maxOpen` (64) are open at once. */
  startLoad(options: LoadOptions, headers?: Headers, target?: Target): Load
  close(): void
}

/**
 * A client that sends plain HTTP to `entry`, port 80: the listener of a sidecar, which finds the service by the Host header.
 * Given the address and `port` of a Pod, it calls that without a sidecar of its own.
 */
export function meshClient(host: string, entry: string, port = 80): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const send: Client['send'] = (headers = {}, target = {}) =>
    sendOne({ agent, host: entry, port, headers: { ...headers, host }, ...target })
  return {
    send,
    async requestShare(n, headers, target) {
      const answers: Answer[] = []
      let left = n
      const worker = async () => {
        while (left-- > 0) answers.push(await send(headers, target))
      }
      await Promise.all(Array.from({ length: Math.min(8, n) }, worker))
      return countAnswers(answers)
    },
    startLoad: (options, headers, target) => startLoad(() => send(headers, target), options),
    close: () => agent.destroy(),
  }
}

/** Counts answers by version and by status. */
export function countAnswers(answers: readonly Answer[]): Share {
  const byVersion: Record<string, number> = {}
  const byStatus: Record<string, number> = {}
  for (const { version, status } of answers) {
    byVersion[version ?? 'none'] = (byVersion[version ?? 'none'] ?? 0) + 1
    byStatus[status] = (byStatus[status] ?? 0) + 1
  }
  return { total: answers.length, byVersion, byStatus }
}

/** Calls `send`, which never rejects, at a steady rate. */
export function startLoad<One>(send: () => Promise<One>, { perSecond, seconds, maxOpen = 64 }: LoadOptions): Load<One> {
  const answers: One[] = []
  const open = new Set<Promise<void>>()
  const start = performance.now()
  let due = 0
  let skipped = 0
  const timer = setInterval(() => {
    const elapsed = (performance.now() - start) / 1000
    // By the clock, not by ticks: a late tick sends what is due by then, so the rate holds.
    for (const target = Math.floor(Math.min(elapsed, seconds) * perSecond); due < target; due++) {
      if (open.size >= maxOpen) skipped++
      else launch()
    }
    if (elapsed >= seconds) clearInterval(timer)
  }, 10)
  const launch = () => {
    const one = send().then((answer) => {
      answers.push(answer)
      open.delete(one)
    })
    open.add(one)
  }
  const stop = async () => {
    clearInterval(timer)
    await Promise.all(open)
    return answers
  }
  return { answers, skipped: () => skipped, stop }
}

/** Never rejects: a request without an answer is an answer with status 0. */
function sendOne(options: RequestOptions): Promise<Answer> {
  const at = Date.now()
  const start = performance.now()
  return new Promise((resolve) => {
    const end = (status: number, text: string, more: Pick<Answer, 'cookie' | 'location'> = {}) =>
      resolve({ at, durationMs: performance.now() - start, status, ...readBody(text), ...more })
    const outgoing = request({ timeout: 10_000, ...options })
    outgoing.on('response', (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('error', (error) => end(0, error.message))
      incoming.on('end', () => end(incoming.statusCode ?? 0, text, readHeaders(incoming.headers)))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')))
    outgoing.on('error', (error) => end(0, error.message))
    outgoing.end()
  })
}

function readHeaders({ location, ...headers }: IncomingHttpHeaders): Pick<Answer, 'cookie' | 'location'> {
  const [cookie] = (headers['set-cookie'] ?? []).map((one) => one.split(';')[0])
  return { ...(cookie === undefined ? {} : { cookie }), ...(location === undefined ? {} : { location }) }
}

function readBody(text: string): Pick<Answer, 'version' | 'caller' | 'seen' | 'detail'> {
  try {
    const { version, caller, seen } = JSON.parse(text) as { version: string; caller: string; seen: Seen }
    return { version, caller, seen }
  } catch {
    // Not the application's answer: the mesh's own, such as "no healthy upstream".
    return { version: null, detail: text.slice(0, 200) }
  }
}
