import { timestamp } from '../model/names.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogFields, Logger, LogLevel } from '../ports/logger.ts'
import { redact } from './redact.ts'

/** Takes one line of a log: the console, the Functions context, a list in a test. */
export type LogSink = (level: LogLevel, line: string) => void

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export interface JsonLoggerOptions {
  /** `info` when left out. */
  readonly least?: LogLevel
  /** What every line says besides its own fields: the trace that it belongs to. */
  readonly about?: () => LogFields
}

/** Logs as lines of JSON, from `least` on: `{"time","level","event",…fields}`. */
export function jsonLogger(
  sink: LogSink,
  clock: Clock,
  { least = 'info', about = () => ({}) }: JsonLoggerOptions = {},
): Logger {
  return {
    log(level, event, fields = {}) {
      if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
      sink(level, line({ time: timestamp(clock.now()), level, event }, { ...fields, ...about() }))
    },
  }
}

function line(head: Readonly<Record<string, string>>, fields: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify({ ...(redact(fields) as object), ...head })
  } catch {
    return JSON.stringify({ ...head, unloggable: true })
  }
}
