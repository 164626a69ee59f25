import { type Emulator, type EmulatorRequest, type EmulatorResponse, jsonBody, jsonResponse } from '../emulator.ts'
import { accessOf, type CheckToken, type MonitorFaults, retryHeader } from './access.ts'
import { type Conditions, parseFilter } from './metrics-filter.ts'

export const METRICS_AUDIENCE = 'https://metrics.monitor.azure.com'
const MINUTE_MS = 60_000
const MOST_RESOURCES = 50
const VERSIONS = ['2023-10-01', '2024-02-01']

/** What one minute of a metric came to, by the values of its dimensions. */
export interface MinuteTotal {
  readonly dimensions: Readonly<Record<string, string>>
  /** Epoch milliseconds of the minute's begin. */
  readonly minuteMs: number
  readonly total: number
}

/** The metrics of resources. */
export interface ResourceMetrics {
  /** Names of the dimensions of a metric; undefined when the namespace has no such metric. */
  dimensions(namespace: string, metric: string): readonly string[] | undefined
  /** Totals of the minutes that begin in [fromMs, toMs); undefined when there is no such resource. */
  totals(resourceId: string, metric: string, fromMs: number, toMs: number): readonly MinuteTotal[] | undefined
}

export interface MetricsBatchOptions {
  readonly metrics: ResourceMetrics
  readonly checkToken: CheckToken
  readonly faults?: MonitorFaults
}

/** The metrics batch API of a region: `POST /subscriptions/ID/metrics:getBatch`, with totals by the minute. */
export function metricsBatchEmulator(options: MetricsBatchOptions): Emulator {
  return async (request) => {
    const access = await accessOf(request, METRICS_AUDIENCE, options.checkToken)
    if (access !== 'good') return failure(401, 'InvalidAuthenticationToken', 'The access token is missing or invalid.')
    const fault = options.faults?.metrics
    if (fault) return failure(fault.status, 'Asked', 'as was asked of the emulator', retryHeader(fault))
    const [, subscription] = /^\/subscriptions\/([^/]+)\/metrics:getBatch$/.exec(request.url.pathname) ?? []
    if (request.method !== 'POST' || subscription === undefined) return failure(404, 'NotFound', 'no such path')
    const asked = read(request, subscription)
    return typeof asked === 'string' ? failure(400, 'BadRequest', asked) : answer(asked, options.metrics)
  }
}

interface Asked {
  readonly resourceIds: readonly string[]
  readonly namespace: string
  readonly metrics: readonly string[]
  readonly fromMs: number
  readonly toMs: number
  readonly top: number
  /** Undefined without a filter: one series of everything. */
  readonly conditions: Conditions | undefined
}

/** What is asked, or why the service would not take it. */
function read({ url, body, ...request }: EmulatorRequest, subscription: string): Asked | string {
  const query = url.searchParams
  const text = (name: string) => query.get(name) ?? ''
  if (!VERSIONS.includes(text('api-version'))) return `api-version must be one of ${VERSIONS.join(', ')}`
  const { resourceids } = jsonBody({ url, body, ...request }) as { resourceids?: unknown }
  const resourceIds = Array.isArray(resourceids) ? resourceids.map(String) : []
  if (resourceIds.length === 0 || resourceIds.length > MOST_RESOURCES) return `give 1 to ${MOST_RESOURCES} resource ids`
  const prefix = `/subscriptions/${subscription}/`.toLowerCase()
  if (resourceIds.some((id) => !id.toLowerCase().startsWith(prefix))) return 'all resources must be of the subscription'
  if (text('interval') !== '' && text('interval') !== 'PT1M') return 'this emulator has the interval PT1M only'
  if (text('aggregation').toLowerCase() !== 'total') return 'this emulator has the aggregation Total only'
  const [fromMs, toMs] = [Date.parse(text('starttime')), Date.parse(text('endtime'))]
  if (!(fromMs < toMs)) return 'starttime must be before endtime'
  const conditions = query.has('filter') ? parseFilter(text('filter')) : undefined
  if (query.has('filter') && !conditions) return 'the filter cannot be read'
  const metrics = text('metricnames').split(',').filter(Boolean)
  const top = Number(query.get('top') ?? '10')
  return { resourceIds, namespace: text('metricnamespace'), metrics, fromMs, toMs, top, conditions }
}

function answer(asked: Asked, metrics: ResourceMetrics): EmulatorResponse {
  const { namespace, conditions, fromMs, toMs } = asked
  for (const metric of asked.metrics) {
    const known = metrics.dimensions(namespace, metric)
    if (!known) return failure(400, 'BadRequest', `Failed to find metric configuration for metric: ${metric}`)
    const names = known.map((name) => name.toLowerCase())
    const foreign = [...(conditions?.keys() ?? [])].find((name) => !names.includes(name))
    if (foreign !== undefined)
      return failure(400, 'BadRequest', `Metric: ${metric} does not support dimension ${foreign}`)
  }
  const values = asked.resourceIds.map((resourceId) => {
    const value = asked.metrics.map((metric) => metricOf(asked, metrics, resourceId, metric))
    return (
      value.every((found) => found !== undefined) && {
        starttime: new Date(fromMs).toISOString(),
        endtime: new Date(toMs).toISOString(),
        interval: 'PT1M',
        namespace,
        resourceregion: 'westeurope',
        resourceid: resourceId,
        value,
      }
    )
  })
  if (values.includes(false)) return failure(404, 'ResourceNotFound', 'a resource was not found')
  return jsonResponse(200, { values })
}

function metricOf(asked: Asked, metrics: ResourceMetrics, resourceId: string, metric: string): unknown {
  const begin = Math.floor(asked.fromMs / MINUTE_MS) * MINUTE_MS
  const totals = metrics.totals(resourceId, metric, begin, asked.toMs)
  if (!totals) return undefined
  const series = new Map<string, { dimensions: MinuteTotal['dimensions']; byMinute: Map<number, number> }>()
  for (const { dimensions, minuteMs, total } of totals) {
    const shown = select(dimensions, asked.conditions)
    if (!shown) continue
    const key = JSON.stringify(shown)
    const found = series.get(key) ?? { dimensions: shown, byMinute: new Map() }
    series.set(key, found)
    found.byMinute.set(minuteMs, (found.byMinute.get(minuteMs) ?? 0) + total)
  }
  return {
    id: `${resourceId}/providers/Microsoft.Insights/metrics/${metric}`,
    type: 'Microsoft.Insights/metrics',
    name: { value: metric, localizedValue: metric },
    displayDescription: metric,
    unit: 'Count',
    timeseries: [...series.values()].slice(0, asked.conditions ? asked.top : 1).map(({ dimensions, byMinute }) => ({
      metadatavalues: Object.entries(dimensions).map(([name, value]) => ({
        name: { value: name.toLowerCase(), localizedValue: name.toLowerCase() },
        value,
      })),
      data: minutesOf(begin, asked.toMs).map((minuteMs) => {
        const total = byMinute.get(minuteMs)
        return { timeStamp: new Date(minuteMs).toISOString(), ...(total === undefined ? {} : { total }) }
      }),
    })),
    errorCode: 'Success',
  }
}

/** The dimensions that the filter names, if the values pass; undefined if not. */
function select(
  dimensions: MinuteTotal['dimensions'],
  conditions: Conditions | undefined,
): MinuteTotal['dimensions'] | undefined {
  const named = Object.entries(dimensions).filter(([name]) => conditions?.has(name.toLowerCase()))
  const passes = named.every(([name, value]) => {
    const wanted = conditions?.get(name.toLowerCase())
    return wanted === undefined || wanted.includes(value.toLowerCase())
  })
  return passes ? Object.fromEntries(named) : undefined
}

function minutesOf(fromMs: number, toMs: number): readonly number[] {
  return Array.from({ length: Math.ceil((toMs - fromMs) / MINUTE_MS) }, (_, index) => fromMs + index * MINUTE_MS)
}

function failure(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): EmulatorResponse {
  return jsonResponse(status, { error: { code, message } }, headers)
}
