import { Cron } from 'croner'
import { parseTimeSpan } from './time-span.ts'

/** When a timer runs. */
export interface Schedule {
  /** The first occurrence after `afterMs`, in milliseconds since the epoch. */
  next(afterMs: number): number
  /** True when it may run more than once a minute; Azure then keeps no record of missed runs. */
  readonly frequent: boolean
  readonly adjustForDst: boolean
}

interface Field {
  readonly least: number
  readonly most: number
  readonly names: readonly string[]
}

const months = 'january february march april may june july august september october november december'.split(' ')
const days = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ')

const fields: readonly Field[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: days },
]

/**
 * Reads a schedule as Azure's timer trigger does: NCRONTAB with six fields (second first) or five, in UTC, or a time span
 * `hh:mm:ss` between runs. Day of month and day of week must *both* fit. Throws for anything else, also for what other
 * crons know and NCRONTAB does not (`L`, `W`, `#`, `?`, `@daily`, 7 for Sunday).
 */
export function parseSchedule(expression: string): Schedule {
  const parts = expression.trim().split(/\s+/)
  const spanMs = parts.length === 1 ? parseTimeSpan(expression) : undefined
  if (spanMs !== undefined && spanMs > 0) {
    return { next: (afterMs) => afterMs + spanMs, frequent: spanMs < 60_000, adjustForDst: false }
  }
  const six = parts.length === 5 ? ['0', ...parts] : parts
  if (six.length !== 6) throw new Error(`"${expression}" is neither NCRONTAB nor a time span`)
  const pattern = six.map((part, index) => normaliseField(part, fields[index] as Field, expression)).join(' ')
  const cron = new Cron(pattern, { paused: true, timezone: 'UTC', mode: '6-part', domAndDow: true })
  return {
    next: (afterMs) => {
      const next = cron.nextRun(new Date(afterMs))
      if (!next) throw new Error(`"${expression}" never comes`)
      return next.getTime()
    },
    frequent: six.slice(1).every((part) => part === '*') && !/^\d+$/.test(six[0] ?? ''),
    adjustForDst: true,
  }
}

function normaliseField(text: string, field: Field, expression: string): string {
  return text
    .split(',')
    .map((item) => normaliseItem(item, field, expression))
    .join(',')
}

/** One item of a field with numbers for names, and `5/15` spelled out as the range it means in NCRONTAB. */
function normaliseItem(item: string, field: Field, expression: string): string {
  const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/i.exec(item)
  const [, from = '', to, step] = match ?? []
  const wild = from === '*'
  const low = wild ? field.least : numberOf(from, field)
  const single = to === undefined && step === undefined
  const high = wild || (to === undefined && !single) ? field.most : numberOf(to ?? from, field)
  if (!match || (wild && to !== undefined) || low === undefined || high === undefined || low > high || step === '0') {
    throw new Error(`"${item}" in "${expression}" is no NCRONTAB field of ${field.least} to ${field.most}`)
  }
  if (wild && step === undefined) return '*'
  if (single) return String(low)
  return step === undefined || Number(step) === 1 ? `${low}-${high}` : stepped(low, high, Number(step))
}

function stepped(low: number, high: number, step: number): string {
  const values: number[] = []
  for (let value = low; value <= high; value += step) values.push(value)
  return values.join(',')
}

function numberOf(text: string, field: Field): number | undefined {
  const named = text.length < 3 ? -1 : field.names.findIndex((name) => name.startsWith(text.toLowerCase()))
  if (named >= 0) return named + field.least
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  return value >= field.least && value <= field.most ? value : undefined
}
