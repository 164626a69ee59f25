import type { LogsQueryClient, LogsQueryResult, LogsTable } from '@azure/monitor-query-logs'
import type { LogsSpec } from '../../model/metrics.ts'
import { codeOf } from '../../model/query-template.ts'
import { kqlProblem } from '../../model/read-only-kql.ts'
import type { Clock } from '../../ports/clock.ts'
import type { CountAnswer, CountQuestion, CountsSource, ValueSource } from '../../ports/metrics.ts'
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
/** Two values are one too many already. */
const MOST_VALUES = 2

/** Opens the logs that clusters name. The SDK is loaded at the first query; one client for all. */
export function logsSource(azure: Azure, clock: Clock, turns: Turns) {
  const client = once(() => openClient(azure))
  return {
    open(cluster: string, spec: LogsSpec): CountsSource & ValueSource {
      const system = `Logs ${cluster}`
      const place = spec.workspaceId ?? spec.resourceId ?? ''
      const ask = async (kql: string, span: Span): Promise<LogsQueryResult> => {
        const send = async (abortSignal: AbortSignal) => query(await client(), spec, { kql, span, abortSignal })
        return withDeadline(clock, DEADLINE_MS, system, (signal) =>
          turns.run(place, signal, () =>
            send(signal).catch((error) => Promise.reject(queryFailure(system, error, clock.now()))),
          ),
        )
      }
      return {
        async counts(question, span) {
          const whole = { fromMs: span.fromMs, toMs: span.nowMs }
          const result = await ask(countingQuery(spec, question, span), whole).catch(told)
          return readCounts(result, question, system)
        },
        async values(kql, { fromMs, toMs }) {
          const problem = kqlProblem(kql)
          if (problem) throw new PortError('invalid', system, problem.reason, { reason: 'NotTaken' })
          // The service counts both ends in.
          return readValues(await ask(atMost(kql, MOST_VALUES), { fromMs: fromMs + 1, toMs }).catch(told), system)
        },
      }
      function told(error: unknown): never {
        throw queryFailure(system, error, clock.now())
      }
    },
  }
}

async function openClient({ credential, httpClient }: Azure): Promise<LogsQueryClient> {
  const { LogsQueryClient } = await import('@azure/monitor-query-logs')
  return new LogsQueryClient(credential, { ...(httpClient ? { httpClient } : {}), retryOptions: { maxRetries: 0 } })
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

interface Query {
  readonly kql: string
  readonly span: Span
  readonly abortSignal: AbortSignal
}

function query(
  client: LogsQueryClient | undefined,
  spec: LogsSpec,
  { kql, span, abortSignal }: Query,
): Promise<LogsQueryResult> {
  if (!client) throw new Error('no client')
  const timespan = { startTime: new Date(span.fromMs), endTime: new Date(span.toMs) }
  const options = { serverTimeoutInSeconds: SERVER_TIMEOUT_S, abortSignal }
  return spec.workspaceId === undefined
    ? client.queryResource(spec.resourceId ?? '', kql, timespan, options)
    : client.queryWorkspace(spec.workspaceId, kql, timespan, options)
}

/** A query that gives no more than so many rows, whatever follows its last statement. */
function atMost(kql: string, rows: number): string {
  const code = codeOf('kql', kql).trimEnd()
  return `${code.endsWith(';') ? kql.slice(0, code.length - 1) : kql}\n| take ${rows}`
}

/** The table of an answer. A partial one is none: what is missing could be the failures. Throws PortError `unavailable`. */
function wholeTable(result: LogsQueryResult, system: string): LogsTable | undefined {
  if (result.status === 'Success') return result.tables[0]
  const { code, message } = result.partialError
  const text = `${system} answered in part only (${code}): ${message}`.slice(0, 500)
  throw new PortError('unavailable', system, text, { reason: 'PartialFailure' })
}

const NUMBERS = ['int', 'long', 'real', 'decimal']

/** The numbers of an answer of one column. Throws PortError `invalid` (reason `NotANumber`) for one of another form. */
function readValues(result: LogsQueryResult, system: string): readonly number[] {
  const table = wholeTable(result, system)
  if (!table) throw unreadable(system)
  const [column, more] = table.columnDescriptors
  if (!column || more || !NUMBERS.includes(column.type ?? '')) {
    const found = table.columnDescriptors.map(({ name, type }) => `${name} (${type})`).join(', ')
    const text = `the query must give one column of numbers; it gives ${found}`
    throw new PortError('invalid', system, text, { reason: 'NotANumber' })
  }
  return table.rows.map(([value]) => (value === null || value === '' ? Number.NaN : Number(value)))
}

/** The counts of an answer. Throws PortError `unavailable`. */
function readCounts(result: LogsQueryResult, { versions }: CountQuestion, system: string): CountAnswer {
  const table = wholeTable(result, system)
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
