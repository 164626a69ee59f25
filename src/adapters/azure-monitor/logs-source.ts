import type { LogsQueryClient, LogsQueryResult } from '@azure/monitor-query-logs'
import type { LogsSpec } from '../../model/metrics.ts'
import type { Clock } from '../../ports/clock.ts'
import type { CountAnswer, CountQuestion, CountSpan, CountsSource } from '../../ports/metrics.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Azure } from '../azure.ts'
import { withDeadline } from '../deadline.ts'
import { once } from '../once.ts'
import type { Turns } from '../one-at-a-time.ts'
import { countingQuery } from './kql.ts'
import { queryFailure } from './query-failure.ts'

/** The service gives up before we do, so that it does not go on for nothing. */
const SERVER_TIMEOUT_S = 15
const DEADLINE_MS = 20_000

/** Opens the logs of requests that clusters name. The SDK is loaded at the first query; one client for all. */
export function logsSource(azure: Azure, clock: Clock, turns: Turns) {
  const client = once(() => openClient(azure))
  return {
    open(cluster: string, spec: LogsSpec): CountsSource {
      const system = `Logs ${cluster}`
      const place = spec.workspaceId ?? spec.resourceId ?? ''
      return {
        async counts(question, span) {
          const ask = async (abortSignal: AbortSignal) => query(await client(), spec, { question, span, abortSignal })
          try {
            const result = await withDeadline(clock, DEADLINE_MS, system, (signal) =>
              turns.run(place, signal, () =>
                ask(signal).catch((error) => Promise.reject(queryFailure(system, error, clock.now()))),
              ),
            )
            return readCounts(result, question, system)
          } catch (error) {
            throw queryFailure(system, error, clock.now())
          }
        },
      }
    },
  }
}

async function openClient({ credential, httpClient }: Azure): Promise<LogsQueryClient> {
  const { LogsQueryClient } = await import('@azure/monitor-query-logs')
  return new LogsQueryClient(credential, { ...(httpClient ? { httpClient } : {}), retryOptions: { maxRetries: 0 } })
}

interface Query {
  readonly question: CountQuestion
  readonly span: CountSpan
  readonly abortSignal: AbortSignal
}

function query(
  client: LogsQueryClient | undefined,
  spec: LogsSpec,
  { question, span, abortSignal }: Query,
): Promise<LogsQueryResult> {
  if (!client) throw new Error('no client')
  const kql = countingQuery(spec, question, span)
  const timespan = { startTime: new Date(span.fromMs), endTime: new Date(span.nowMs) }
  const options = { serverTimeoutInSeconds: SERVER_TIMEOUT_S, abortSignal }
  return spec.workspaceId === undefined
    ? client.queryResource(spec.resourceId ?? '', kql, timespan, options)
    : client.queryWorkspace(spec.workspaceId, kql, timespan, options)
}

/** The counts of an answer. A partial one is none: what is missing could be the failures. Throws PortError `unavailable`. */
function readCounts(result: LogsQueryResult, { versions }: CountQuestion, system: string): CountAnswer {
  if (result.status !== 'Success') {
    const { code, message } = result.partialError
    const text = `${system} answered in part only (${code}): ${message}`.slice(0, 500)
    throw new PortError('unavailable', system, text, { reason: 'PartialFailure' })
  }
  const [table] = result.tables
  const column = (name: string) => table?.columnDescriptors.findIndex((descriptor) => descriptor.name === name) ?? -1
  const at = { version: column('version'), seen: column('seen'), failed: column('failed'), newest: column('newest') }
  if (!table || Object.values(at).some((index) => index < 0)) throw unreadable(system)
  const rows = table.rows.map((row) => ({
    version: String(row[at.version]),
    seen: Number(row[at.seen]),
    failed: Number(row[at.failed]),
    newestMs: timeOf(row[at.newest]),
  }))
  if (rows.some(({ seen, failed, newestMs }) => !(failed >= 0 && failed <= seen) || Number.isNaN(newestMs))) {
    throw unreadable(system)
  }
  const byVersion = Object.fromEntries(
    Object.entries(versions).flatMap(([name, value]) => {
      const row = rows.find(({ version }) => version === value)
      return row ? [[name, { good: row.seen - row.failed, bad: row.failed }] as const] : []
    }),
  )
  return rows.length === 0 ? { byVersion } : { byVersion, newestMs: Math.max(...rows.map(({ newestMs }) => newestMs)) }
}

function timeOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : Number.NaN
}

function unreadable(system: string): PortError {
  return new PortError('unavailable', system, `${system} gave an answer that cannot be read`, { reason: 'Unreadable' })
}
