import { Agent, request } from 'node:http'

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
  /** `name=value` of a cookie that came with it. */
  readonly cookie?: string
  /** The start of the body where no version answered, or the error. */
  readonly detail?: string
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

/** Sends requests to a host of the mesh through the client's sidecar. */
export interface Client {
  send(headers?: Headers): Promise<Answer>
  /** Sends `n` requests, eight at a time, and counts their answers. */
  requestShare(n: number, headers?: Headers): Promise<Share>
  /** Sends `perSecond` requests for at most `seconds`; it ends by itself. At most `maxOpen` (64) are open at once. */
  startLoad(options: LoadOptions, headers?: Headers): Load
  close(): void
}

/** A client that sends plain HTTP to the sidecar's listener at `entry`, port 80; the sidecar finds the service by the Host header. */
export function meshClient(host: string, entry: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const send = (headers: Headers = {}) => sendOne({ agent, entry, headers: { ...headers, host } })
  return {
    send,
    async requestShare(n, headers) {
      const answers: Answer[] = []
      let left = n
      const worker = async () => {
        while (left-- > 0) answers.push(await send(headers))
      }
      await Promise.all(Array.from({ length: Math.min(8, n) }, worker))
      return countAnswers(answers)
    },
    startLoad: (options, headers) => startLoad(() => send(headers), options),
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
function sendOne({ agent, entry, headers }: { agent: Agent; entry: string; headers: Headers }): Promise<Answer> {
  const at = Date.now()
  const start = performance.now()
  return new Promise((resolve) => {
    const end = (status: number, text: string, cookie?: string) =>
      resolve({ at, durationMs: performance.now() - start, status, ...readBody(text), ...(cookie ? { cookie } : {}) })
    const outgoing = request({ agent, host: entry, port: 80, path: '/', headers, timeout: 10_000 })
    outgoing.on('response', (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('error', (error) => end(0, error.message))
      const [cookie] = incoming.headers['set-cookie'] ?? []
      incoming.on('end', () => end(incoming.statusCode ?? 0, text, cookie?.split(';')[0]))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 10 s')))
    outgoing.on('error', (error) => end(0, error.message))
    outgoing.end()
  })
}

function readBody(text: string): Pick<Answer, 'version' | 'caller' | 'detail'> {
  try {
    const { version, caller } = JSON.parse(text) as { version: string; caller: string }
    return { version, caller }
  } catch {
    // Not the application's answer: the mesh's own, such as "no healthy upstream".
    return { version: null, detail: text.slice(0, 200) }
  }
}
