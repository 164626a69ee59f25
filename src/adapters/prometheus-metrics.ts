import type { ClusterSpec } from '../model/cluster.ts'
import { durationMs } from '../model/names.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSource, MetricsSources } from '../ports/metrics.ts'
import { isPortError, PortError, type PortErrorKind } from '../ports/port-error.ts'
import { withDeadline } from './deadline.ts'
import { type Fetch, readBounded } from './http-answer.ts'
import { networkFailure, retryAfterMs } from './network-failure.ts'
import { parseMatrix } from './prometheus-answer.ts'

const queryDeadlineMs = 10_000
const maxAnswerBytes = 32 * 1024 * 1024

export interface PrometheusSettings {
  /** Carries the requests; must be able to leave redirects alone (`redirect: 'manual'`). */
  readonly fetch: Fetch
  readonly addresses: AddressPolicy
  /** For clusters that name no source. */
  readonly defaultUrl?: string
}

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

/**
 * Metrics from the Prometheus that a cluster names. Raw samples come from an instant query of a range selector.
 * `open` throws PortError `denied` (reason `AddressRefused`) for an address that may not be called.
 */
export function prometheusMetrics({ fetch, addresses, defaultUrl }: PrometheusSettings, clock: Clock): MetricsSources {
  return {
    async open({ name, spec }) {
      const { azureMonitor, prometheus } = spec.metrics ?? {}
      if (azureMonitor !== undefined) {
        const message = 'metrics from Azure Monitor cannot be read yet; name a Prometheus'
        throw new PortError('invalid', `Azure Monitor ${name}`, message, { reason: 'NotBuilt' })
      }
      const address = prometheus?.url ?? defaultUrl
      if (address === undefined) return undefined
      const system = `Prometheus ${name}`
      const refusal = await addresses.refusal(address)
      if (refusal !== undefined) {
        throw new PortError('denied', system, `its address is not called: ${refusal}`, { reason: 'AddressRefused' })
      }
      return prometheusSource({ fetch, clock, system, url: queryUrl(address) })
    },
    timing,
  }
}

/** How late samples come and how often to look: what the cluster says, else what is usual for its kind of source. */
function timing({ metrics }: ClusterSpec): { delayMs: number; everyMs: number } {
  const [delay, every] = metrics?.azureMonitor === undefined ? ['30s', '10s'] : ['2m', '1m']
  return { delayMs: durationMs(metrics?.delay ?? delay), everyMs: durationMs(metrics?.every ?? every) }
}

interface Source {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly system: string
  readonly url: string
}

function prometheusSource(source: Source): MetricsSource {
  return {
    async samples(selector, atMs, windowMs) {
      const window = windowMs % 1000 === 0 ? `${windowMs / 1000}s` : `${windowMs}ms`
      const answer = await query(source, `${selector}[${window}]`, atMs)
      return parseMatrix(answer, source.system, { fromMs: atMs - windowMs, toMs: atMs })
    },
  }
}

/** The answer's JSON text. POST, for a selector may be longer than a URL may be. */
async function query({ fetch, clock, system, url }: Source, text: string, atMs: number): Promise<string> {
  const body = new URLSearchParams({ query: text, time: (atMs / 1000).toFixed(3), timeout: '9s' })
  try {
    return await withDeadline(clock, queryDeadlineMs, system, async (signal) => {
      const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }
      const init = { method: 'POST', headers, body: body.toString(), redirect: 'manual', signal } as const
      const response = await fetch(url, init)
      const answer = await readBounded(response, maxAnswerBytes, system)
      if (response.status !== 200) throw refused(system, response, answer, clock.now())
      return answer
    })
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
