import { parseDurationMs } from './literals.ts'
import { QueryError } from './query-error.ts'

export interface QueryParameters {
  readonly query: string
  /** The most series in the answer; 0 is no limit. */
  readonly limit: number
}

export interface InstantParameters extends QueryParameters {
  readonly timeMs: number
}

export interface RangeParameters extends QueryParameters {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs: number
}

/** The parameters of `/api/v1/query`; throws QueryError in Prometheus' words. */
export function instantParameters(form: URLSearchParams, nowMs: number): InstantParameters {
  const limit = limitOf(form)
  const time = form.get('time') || undefined
  const timeMs = time === undefined ? nowMs : timeOf(time, 'time', "invalid time value for 'time': ")
  refuseTimeout(form)
  return { query: form.get('query') ?? '', limit, timeMs }
}

/** The parameters of `/api/v1/query_range`; throws QueryError in Prometheus' words. */
export function rangeParameters(form: URLSearchParams): RangeParameters {
  const limit = limitOf(form)
  const startMs = timeOf(form.get('start') ?? '', 'start')
  const endMs = timeOf(form.get('end') ?? '', 'end')
  if (endMs < startMs) throw invalid('end', 'end timestamp must not be before start time')
  const stepMs = durationOf(form.get('step') ?? '', 'step')
  if (stepMs <= 0) {
    const rule = 'zero or negative query resolution step widths are not accepted. Try a positive integer'
    throw invalid('step', rule)
  }
  if ((endMs - startMs) / stepMs > 11_000) {
    const rule = 'exceeded maximum resolution of 11,000 points per timeseries.'
    throw new QueryError('bad_data', `${rule} Try decreasing the query resolution (?step=XX)`)
  }
  refuseTimeout(form)
  return { query: form.get('query') ?? '', limit, startMs, endMs, stepMs }
}

/** `invalid parameter "query": ...` */
export function invalid(parameter: string, reason: string): QueryError {
  return new QueryError('bad_data', `invalid parameter "${parameter}": ${reason}`)
}

function limitOf(form: URLSearchParams): number {
  const text = form.get('limit') || '0'
  if (!/^[-+]?\d+$/.test(text)) throw invalid('limit', `strconv.Atoi: parsing "${text}": invalid syntax`)
  const limit = Number(text)
  if (limit < 0) throw invalid('limit', 'limit must be non-negative')
  return limit
}

/** A timeout of nothing is over at once; any other is long enough for what this emulator does. */
function refuseTimeout(form: URLSearchParams): void {
  const text = form.get('timeout') || undefined
  if (text === undefined || durationOf(text, 'timeout') > 0) return
  throw new QueryError('timeout', 'query timed out in query execution')
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)$/
const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/

/** Milliseconds of a Unix time in seconds or an RFC 3339 time; parts of a millisecond are dropped. */
function timeOf(text: string, parameter: string, prefix = ''): number {
  const ms = DECIMAL.test(text)
    ? Math.floor(Math.round(Number(text) * 1e6) / 1e3)
    : RFC3339.test(text)
      ? Date.parse(text)
      : Number.NaN
  if (!Number.isFinite(ms)) throw invalid(parameter, `${prefix}cannot parse "${text}" to a valid timestamp`)
  return ms
}

function durationOf(text: string, parameter: string): number {
  const ms = DECIMAL.test(text) ? Number(text) * 1000 : parseDurationMs(text)
  if (ms === undefined) throw invalid(parameter, `cannot parse "${text}" to a valid duration`)
  return ms
}
