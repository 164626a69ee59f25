import { type Emulator, type EmulatorRequest, type EmulatorResponse, jsonBody, jsonResponse } from '../emulator.ts'
import { accessOf, type CheckToken, type MonitorFaults, retryHeader } from './access.ts'
import type { Schema, Value } from './kql/compile.ts'
import { parseKql } from './kql/parse.ts'
import { type CountedRow, runKql } from './kql/run.ts'
import { KqlError } from './kql/tokens.ts'

export const LOGS_AUDIENCE = 'https://api.loganalytics.io'
const [WINDOW_MS, MOST_IN_WINDOW] = [30_000, 200]
const LONGEST_WAIT_S = 600

/** A table of requests; both names of it are served, each with its own names of columns. */
export interface RequestLogs {
  /** Rows of (fromMs, toMs] in the columns of AppRequests; undefined for a workspace or resource that is not there. */
  rows(place: string, fromMs: number, toMs: number): readonly CountedRow[] | undefined
}

export interface LogsOptions {
  readonly logs: RequestLogs
  readonly now: () => number
  readonly checkToken: CheckToken
  readonly faults?: MonitorFaults
}

/**
 * The query API of Log Analytics: `/v1/workspaces/ID/query` and `/v1/RESOURCE/query`. It runs the part of KQL that
 * Meshwright sends over the tables AppRequests and requests, and refuses the rest as the service refuses a bad query.
 */
export function logsEmulator(options: LogsOptions): Emulator {
  const arrivals: number[] = []
  return async (request) => {
    const access = await accessOf(request, LOGS_AUDIENCE, options.checkToken)
    if (access === 'missing')
      return failure(401, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.")
    if (access === 'refused') return failure(403, 'InvalidAuthenticationToken', 'The access token is invalid.')
    const fault = options.faults?.logs
    if (fault && fault !== 'partial')
      return failure(fault.status, 'Asked', 'as was asked of the emulator', retryHeader(fault))
    const nowMs = options.now()
    while ((arrivals[0] ?? nowMs) <= nowMs - WINDOW_MS) arrivals.shift()
    if (arrivals.length >= MOST_IN_WINDOW)
      return failure(429, 'ThrottledError', 'Too many requests', { 'retry-after': '30' })
    arrivals.push(nowMs)
    const place = placeOf(request.url.pathname)
    if (request.method !== 'POST' || place === undefined)
      return failure(404, 'PathNotFoundError', 'The requested path does not exist')
    return answer(request, place, options)
  }
}

/** The id of a workspace, or the ARM id of a resource. */
function placeOf(pathname: string): string | undefined {
  const [, workspace, resource] = /^\/v1\/(?:workspaces\/([^/]+)|(.+))\/query$/.exec(pathname) ?? []
  if (workspace !== undefined) return decodeURIComponent(workspace)
  return resource === undefined ? undefined : `/${decodeURIComponent(resource).replace(/^\/+/, '')}`
}

function answer(request: EmulatorRequest, place: string, { logs, faults }: LogsOptions): EmulatorResponse {
  const [, wait = '180'] = /wait=(\d+)/.exec(request.headers.prefer ?? '') ?? []
  if (Number(wait) > LONGEST_WAIT_S) return badArgument('ValidationError', `wait may be ${LONGEST_WAIT_S} at most`)
  const { query, timespan } = jsonBody(request) as { query?: unknown; timespan?: unknown }
  const span = spanOf(timespan)
  if (typeof query !== 'string' || !span)
    return badArgument('ValidationError', 'query and timespan (START/END) are needed')
  try {
    const parsed = parseKql(query)
    const table = TABLES[parsed.table]
    if (!table) throw new KqlError('SemanticError', `Failed to resolve table '${parsed.table}'`)
    const rows = logs.rows(place, span.fromMs - 1, span.toMs)
    if (!rows) return failure(404, 'WorkspaceNotFoundError', 'The workspace could not be found')
    const result = runKql(parsed, { schema: table.schema, rows: rows.map((counted) => table.named(counted)) })
    const columns = Object.entries(result.schema).map(([name, type]) => ({ name, type }))
    const values = result.rows.flatMap(({ row, count }) => {
      return Array.from({ length: count }, () => columns.map(({ name }) => shown(row[name] ?? null)))
    })
    const primary = { name: 'PrimaryResult', columns, rows: values }
    if (faults?.logs !== 'partial') return jsonResponse(200, { tables: [primary] })
    const part = { ...primary, rows: values.slice(1) }
    return jsonResponse(200, { tables: [part], error: PARTIAL })
  } catch (error) {
    if (error instanceof KqlError) return badArgument(error.code, error.message)
    throw error
  }
}

const PARTIAL = {
  code: 'PartialError',
  message: 'There were some errors when processing your query.',
  details: [{ code: 'EngineError', message: 'Something went wrong processing your query on the server.' }],
}

const SCHEMA: Schema = {
  TimeGenerated: 'datetime',
  AppRoleName: 'string',
  AppVersion: 'string',
  ResultCode: 'string',
  Success: 'bool',
  DurationMs: 'real',
  Properties: 'dynamic',
}
/** The classic names, and the classic type of `success`: a text. */
const CLASSIC: Readonly<Record<string, string>> = {
  TimeGenerated: 'timestamp',
  AppRoleName: 'cloud_RoleName',
  AppVersion: 'application_Version',
  ResultCode: 'resultCode',
  Success: 'success',
  DurationMs: 'duration',
  Properties: 'customDimensions',
}

const TABLES: Readonly<Record<string, { readonly schema: Schema; named(row: CountedRow): CountedRow }>> = {
  AppRequests: { schema: SCHEMA, named: (row) => row },
  requests: {
    schema: {
      ...Object.fromEntries(Object.entries(SCHEMA).map(([name, type]) => [CLASSIC[name] ?? name, type])),
      success: 'string',
    },
    named: ({ row, count }) => ({
      row: {
        ...Object.fromEntries(Object.entries(row).map(([name, value]) => [CLASSIC[name] ?? name, value])),
        success: row.Success === true ? 'True' : 'False',
      },
      count,
    }),
  },
}

function spanOf(timespan: unknown): { readonly fromMs: number; readonly toMs: number } | undefined {
  const [from = '', to = ''] = String(timespan).split('/')
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
  return Number.isNaN(fromMs) || Number.isNaN(toMs) ? undefined : { fromMs, toMs }
}

function shown(value: Value): unknown {
  return value instanceof Date ? value.toISOString() : value
}

function badArgument(code: string, message: string): EmulatorResponse {
  const error = { message: 'The request had some invalid properties', code: 'BadArgumentError' }
  return jsonResponse(400, { error: { ...error, innererror: { code, message } } })
}

function failure(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): EmulatorResponse {
  return jsonResponse(status, { error: { message, code } }, headers)
}
