import type { MetricsClient, MetricsQueryResult } from '@azure/monitor-query-metrics'
import type { PlatformSpec } from '../../model/metrics.ts'
import type { Clock } from '../../ports/clock.ts'
import type { CountAnswer, CountQuestion, CountSpan, CountsSource } from '../../ports/metrics.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Azure } from '../azure.ts'
import { withDeadline } from '../deadline.ts'
import { PLATFORM_GRAIN_MS } from '../metrics-timing.ts'
import type { Turns } from '../one-at-a-time.ts'
import { fill } from './kql.ts'
import { platformFilter } from './platform-filter.ts'
import { queryFailure } from './query-failure.ts'

const SCOPES = ['https://metrics.monitor.azure.com/.default']
const DEADLINE_MS = 10_000
/** Time series in an answer; the service's own default is ten. */
const MOST_SERIES = 100

/** Opens the metrics of Azure resources that clusters name. The SDK is loaded at the first query; one client a region. */
export function platformSource(azure: Azure, clock: Clock, turns: Turns) {
  const clients = new Map<string, Promise<MetricsClient>>()
  const clientFor = (region: string) => {
    const client = clients.get(region) ?? openClient(azure, region)
    clients.set(region, client)
    return client
  }
  return {
    open(cluster: string, spec: PlatformSpec): CountsSource {
      const system = `Platform metrics ${cluster}`
      const place = `${spec.region}.metrics.monitor.azure.com`
      const totals = async (part: 'all' | 'bad', question: CountQuestion, span: CountSpan, signal: AbortSignal) => {
        const ask = async () => query(await clientFor(spec.region), { spec, part, question, span, signal })
        const results = await turns.run(place, signal, () =>
          ask().catch((error) => Promise.reject(queryFailure(system, error, clock.now()))),
        )
        return readTotals(results, spec, spec[part].metric, span, system)
      }
      return {
        async counts(question, span) {
          try {
            return await withDeadline(clock, DEADLINE_MS, system, async (signal) => {
              const all = await totals('all', question, span, signal)
              return merge(all, await totals('bad', question, span, signal), { spec, question, system })
            })
          } catch (error) {
            throw queryFailure(system, error, clock.now())
          }
        },
      }
    },
  }
}

async function openClient({ credential, httpClient }: Azure, region: string): Promise<MetricsClient> {
  const { MetricsClient } = await import('@azure/monitor-query-metrics')
  return new MetricsClient(`https://${region}.metrics.monitor.azure.com`, credential, {
    ...(httpClient ? { httpClient } : {}),
    credentials: { scopes: SCOPES },
    retryOptions: { maxRetries: 0 },
  })
}

interface Query {
  readonly spec: PlatformSpec
  readonly part: 'all' | 'bad'
  readonly question: CountQuestion
  readonly span: CountSpan
  readonly signal: AbortSignal
}

function query(client: MetricsClient, { spec, part, question, span, signal }: Query): Promise<MetricsQueryResult[]> {
  const options = {
    startTime: new Date(span.fromMs),
    endTime: new Date(span.nowMs),
    interval: 'PT1M',
    aggregation: 'Total',
    top: MOST_SERIES,
    filter: platformFilter(spec[part], spec, question),
    abortSignal: signal,
  }
  return client.queryResources([spec.resourceId], [spec[part].metric], spec.namespace, options)
}

/** Sums by value of the version dimension over whole minutes in (fromMs, toMs], and the end of the newest minute with a value. */
interface Totals {
  readonly byValue: ReadonlyMap<string, number>
  readonly newestMs: number | undefined
}

function readTotals(
  results: readonly MetricsQueryResult[],
  spec: PlatformSpec,
  name: string,
  { fromMs, toMs }: CountSpan,
  system: string,
): Totals {
  const metric = results[0]?.metrics.find((found) => found.name === name)
  if (!metric) throw unreadable(system, `no metric ${name}`)
  if (metric.errorCode !== undefined && metric.errorCode !== 'Success') {
    throw unreadable(system, `metric ${name}: ${metric.errorCode} ${metric.errorMessage ?? ''}`)
  }
  if (metric.timeseries.length >= MOST_SERIES)
    throw unreadable(system, `metric ${name} has ${MOST_SERIES} series or more`)
  const byValue = new Map<string, number>()
  let newestMs: number | undefined
  for (const { metadatavalues = [], data = [] } of metric.timeseries) {
    const isVersion = ({ name }: { name?: string }) => name?.toLowerCase() === spec.versionDimension.toLowerCase()
    const value = metadatavalues.find(isVersion)?.value
    if (value === undefined) throw unreadable(system, `metric ${name} has no dimension ${spec.versionDimension}`)
    for (const { timeStamp, total } of data) {
      if (total === undefined || total === null) continue
      const [startMs, endMs] = [timeStamp.getTime(), timeStamp.getTime() + PLATFORM_GRAIN_MS]
      if (!Number.isFinite(total) || total < 0) throw unreadable(system, `metric ${name} has a total of ${total}`)
      newestMs = Math.max(newestMs ?? endMs, endMs)
      const key = value.toLowerCase()
      if (startMs >= fromMs && endMs <= toMs) byValue.set(key, (byValue.get(key) ?? 0) + total)
    }
  }
  return { byValue, newestMs }
}

interface Asked {
  readonly spec: PlatformSpec
  readonly question: CountQuestion
  readonly system: string
}

/** Dimension values come back in any case. More bad than all: the two counts do not fit together, so neither is believed. */
function merge(all: Totals, bad: Totals, { spec, question, system }: Asked): CountAnswer {
  const byVersion = Object.fromEntries(
    Object.entries(question.versions).flatMap(([name, version]) => {
      const key = fill(spec.versionValue, { ...question.service, version }).toLowerCase()
      const [seen, failed] = [all.byValue.get(key) ?? 0, bad.byValue.get(key) ?? 0]
      if (failed > seen) throw unreadable(system, `${failed} of ${seen} requests to ${name} failed`)
      return seen === 0 ? [] : [[name, { good: seen - failed, bad: failed }] as const]
    }),
  )
  return { byVersion, ...(all.newestMs === undefined ? {} : { newestMs: all.newestMs }) }
}

function unreadable(system: string, why: string): PortError {
  return new PortError('unavailable', system, `${system} cannot be counted: ${why}`, { reason: 'Unreadable' })
}
