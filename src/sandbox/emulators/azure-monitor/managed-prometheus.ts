import { type Emulator, type EmulatorRequest, type EmulatorResponse, jsonResponse } from '../emulator.ts'
import { selectorsOf } from '../prometheus/expression.ts'
import { parseExpression } from '../prometheus/parse.ts'
import { formOf, prometheusEmulator } from '../prometheus/prometheus-emulator.ts'
import { ParseError } from '../prometheus/query-error.ts'
import type { SeriesSource } from '../prometheus/series-source.ts'
import { accessOf, type CheckToken, type MonitorFaults, retryHeader } from './access.ts'

export const PROMETHEUS_AUDIENCE = 'https://prometheus.monitor.azure.com'

export interface ManagedPrometheusOptions {
  /** Series of all clusters that write to the workspace, with the label `cluster`. */
  readonly source: SeriesSource
  readonly now: () => number
  readonly checkToken: CheckToken
  readonly faults?: MonitorFaults
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  422: 'execution',
  429: 'too_many_requests',
}

/**
 * The query endpoint of an Azure Monitor workspace: Prometheus' API behind an Entra token, for selectors that name
 * exactly one metric. Errors come in Prometheus' envelope.
 */
export function managedPrometheusEmulator(options: ManagedPrometheusOptions): Emulator {
  const prometheus = prometheusEmulator(options)
  return async (request) => {
    const access = await accessOf(request, PROMETHEUS_AUDIENCE, options.checkToken)
    if (access === 'missing') return failure(401, 'no bearer token')
    if (access === 'refused') return failure(401, 'the token is not of this tenant, not for this audience, or over')
    const fault = options.faults?.prometheus
    if (fault) return failure(fault.status, 'as was asked of the emulator', retryHeader(fault))
    const refusal = refuseNames(request)
    return refusal === undefined ? prometheus(request) : failure(400, refusal, {}, 'bad_data')
  }
}

/** Why a query may not run here though it is PromQL; undefined for one that may, or that is none. */
function refuseNames(request: EmulatorRequest): string | undefined {
  try {
    const selectors = selectorsOf(parseExpression(formOf(request).get('query') ?? ''))
    const isRefused = selectors.some(({ matchers }) => {
      const names = matchers.filter(({ label }) => label === '__name__')
      return names.length !== 1 || names[0]?.operator !== '='
    })
    return isRefused ? 'a selector must name exactly one metric, without a regular expression' : undefined
  } catch (error) {
    // Prometheus says it in its own words.
    if (error instanceof ParseError) return undefined
    throw error
  }
}

function failure(
  status: number,
  error: string,
  headers: Record<string, string> = {},
  errorType = ERROR_TYPES[status] ?? 'internal',
): EmulatorResponse {
  return jsonResponse(status, { status: 'error', errorType, error }, headers)
}
