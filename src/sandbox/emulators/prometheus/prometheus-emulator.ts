import { type Emulator, type EmulatorRequest, type EmulatorResponse, jsonResponse } from '../emulator.ts'
import type { Value } from './evaluate.ts'
import { formatValue } from './literals.ts'
import { QueryError } from './query-error.ts'
import { instantParameters, type QueryParameters, rangeParameters } from './query-parameters.ts'
import { runInstantQuery, runRangeQuery } from './run-query.ts'
import type { Labels, SeriesSource } from './series-source.ts'

export interface PrometheusOptions {
  readonly source: SeriesSource
  /** Milliseconds since the Unix epoch: the time of a query that names none. */
  readonly now: () => number
  /** While false every request is answered 503, as by a Prometheus that is starting or gone behind its load balancer. */
  readonly available?: () => boolean
}

/**
 * The query half of Prometheus' HTTP API over any source of series: `/api/v1/query` and `/api/v1/query_range`, by GET or by
 * POST of a form. Version 3 is the model; where the meaning differs from 2.x (left edges of windows) it says so.
 */
export function prometheusEmulator({ source, now, available = () => true }: PrometheusOptions): Emulator {
  return async (request) => {
    if (!available()) return plain(503, 'Service Unavailable')
    const run = ROUTES[request.url.pathname]
    if (run === undefined) return plain(404, '404 page not found\n')
    if (request.method !== 'GET' && request.method !== 'POST') return plain(405, 'Method Not Allowed\n')
    try {
      return run(formOf(request), source, now())
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      return jsonResponse(error.status, { status: 'error', errorType: error.type, error: error.message })
    }
  }
}

const ROUTES: Readonly<
  Record<string, (form: URLSearchParams, source: SeriesSource, nowMs: number) => EmulatorResponse>
> = {
  '/api/v1/query': (form, source, nowMs) => {
    const parameters = instantParameters(form, nowMs)
    return success(runInstantQuery(parameters, source), parameters, parameters.timeMs)
  },
  '/api/v1/query_range': (form, source) => {
    const parameters = rangeParameters(form)
    return success(runRangeQuery(parameters, source), parameters, parameters.endMs)
  },
}

/** The request's parameters: a form in the body goes before the query string, as in Go. */
export function formOf(request: EmulatorRequest): URLSearchParams {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
  if (request.method !== 'POST' || !isForm) return request.url.searchParams
  const form = new URLSearchParams(new TextDecoder().decode(request.body))
  for (const [name, value] of request.url.searchParams) if (!form.has(name)) form.append(name, value)
  return form
}

function success(value: Value, { limit }: QueryParameters, timeMs: number): EmulatorResponse {
  const all = resultOf(value, timeMs)
  const tooMany = limit > 0 && (value.type === 'vector' || value.type === 'matrix') && all.length > limit
  return jsonResponse(200, {
    status: 'success',
    data: { resultType: value.type, result: tooMany ? all.slice(0, limit) : all },
    ...(tooMany ? { warnings: ['results truncated due to limit'] } : {}),
  })
}

function resultOf(value: Value, timeMs: number): readonly unknown[] {
  switch (value.type) {
    case 'scalar':
      return [timeMs / 1000, formatValue(value.value)]
    case 'string':
      return [timeMs / 1000, value.value]
    case 'vector':
      return value.items.map((item) => ({
        metric: sorted(item.labels),
        value: [timeMs / 1000, formatValue(item.value)],
      }))
    case 'matrix':
      return value.series.map(({ labels, samples }) => ({
        metric: sorted(labels),
        values: samples.map(([sampleMs, sample]) => [sampleMs / 1000, formatValue(sample)]),
      }))
  }
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function plain(status: number, body: string): EmulatorResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}
