export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What `fields` may hold: JSON values, Errors, and undefined (left out). */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Structured logs for operators. `event` is a fixed name such as `relay.failed`, what differs goes into `fields`.
 * `error` means that a person must act now. Never throws. Secrets do not belong into fields; the adapter takes out what
 * looks like one.
 */
export interface Logger {
  log(level: LogLevel, event: string, fields?: LogFields): void
}
