import type { Clock } from '../ports/clock.ts'
import type { MetricsSource, ValueSource } from '../ports/metrics.ts'
import { isPortError, PortError, type PortErrorKind } from '../ports/port-error.ts'
import { withDeadline } from './deadline.ts'
import { type Fetch, readBounded } from './http-answer.ts'
import { networkFailure, retryAfterMs } from './network-failure.ts'
import { parseMatrix, parseValues } from './prometheus-answer.ts'

const QUERY_DEADLINE_MS = 10_000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** Two values are one too many already. */
const MOST_VALUES = 2

const KINDS: Readonly<Record<number, PortErrorKind>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'invalid',
  405: 'invalid',
  // The query was understood but costs too much, or ran into a limit.
  422: 'throttled',
  429: 'throttled',
}

/** A Prometheus and what carries requests to it. */
export interface PrometheusPlace {
  /** Must be able to leave redirects alone (`redirect: 'manual'`). */
  readonly fetch: Fetch
  readonly clock: Clock
  /** How errors call it: `Prometheus east`. */
  readonly system: string
  /** Of the query API, without `/api/v1`. */
  readonly url: string
  /** Runs a request, perhaps not at once; left out: at once. */
  readonly inTurn?: <T>(signal: AbortSignal, call: () => Promise<T>) => Promise<T>
}

/** Raw samples from Prometheus' HTTP API, as an instant query of a range selector, and what any instant query gives. */
export function prometheusSource(source: PrometheusPlace): MetricsSource & ValueSource {
  return {
    async values(text, { toMs }) {
      return parseValues(await query(source, { text, atMs: toMs, mostSeries: MOST_VALUES }), source.system)
    },
    async samples(selector, atMs, windowMs, mostSeries) {
      const window = windowMs % 1000 === 0 ? `${windowMs / 1000}s` : `${windowMs}ms`
      const answer = await query(source, { text: `${selector}[${window}]`, atMs, mostSeries })
      return parseMatrix(answer, source.system, { fromMs: atMs - windowMs, toMs: atMs })
    },
  }
}

interface Query {
  readonly text: string
  readonly atMs: number
  readonly mostSeries: number | undefined
}

/** The answer's JSON text. POST, for a selector may be longer than a URL may be. */
async function query(place: PrometheusPlace, { text, atMs, mostSeries }: Query): Promise<string> {
  const { fetch, clock, system, url, inTurn = (_, call) => call() } = place
  const body = new URLSearchParams({ query: text, time: (atMs / 1000).toFixed(3), timeout: '9s' })
  if (mostSeries !== undefined) body.set('limit', String(mostSeries))
  const ask = async (signal: AbortSignal): Promise<string> => {
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
    const init = { method: 'POST', headers, body: body.toString(), redirect: 'manual', signal } as const
    const response = await fetch(queryUrl(url), init)
    const answer = await readBounded(response, MAX_ANSWER_BYTES, system)
    if (response.status !== 200) throw refused(system, response, answer, clock.now())
    return answer
  }
  try {
    return await withDeadline(clock, QUERY_DEADLINE_MS, system, (signal) => inTurn(signal, () => ask(signal)))
  } catch (error) {
    throw isPortError(error) ? error : networkFailure(system, error)
  }
}

function refused(system: string, response: Response, answer: string, now: number): PortError {
  const { status } = response
  const told = errorText(answer)
  const message = `${system} answered ${status}${told === undefined ? '' : `: ${told}`}`
  const wait = retryAfterMs(response.headers.get('retry-after'), now)
  const reason = told === undefined && status < 500 ? { reason: status < 400 ? 'Redirect' : 'NotPrometheus' } : {}
  const kind = status < 400 ? 'unavailable' : (KINDS[status] ?? 'unavailable')
  return new PortError(kind, system, message, { ...reason, ...(wait === undefined ? {} : { retryAfterMs: wait }) })
}

/** What Prometheus itself says is wrong; undefined when the answer is not from one. */
function errorText(answer: string): string | undefined {
  try {
    const { status, errorType, error } = JSON.parse(answer) as Record<string, unknown>
    return status === 'error' ? `${String(errorType)}: ${String(error)}`.slice(0, 500) : undefined
  } catch {
    return undefined
  }
}

function queryUrl(base: string): string {
  const url = new URL(base)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/api/v1/query`
}
