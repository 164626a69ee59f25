import type { CoreLogLevel } from './core-types.ts'

/** One line of the host's log. `category` tells the app's own lines (`user`) from the host's and the library's. */
export interface LogLine {
  readonly level: CoreLogLevel
  readonly category: 'user' | 'system'
  readonly message: string
  readonly functionName?: string
  readonly invocationId?: string
}

export type HostLog = (line: LogLine) => void

const order: readonly CoreLogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none']

/** Least level per category, as `logging.logLevel` of host.json has it; `default` for the rest. */
export type LogLevels = Readonly<Record<string, CoreLogLevel>>

/**
 * Passes on what the levels let through. A function's own lines have the category `Function.<name>.User`, others of an
 * invocation `Function.<name>`, the host's `Host`; the longest matching prefix decides.
 */
export function filterLog(levels: LogLevels, log: HostLog): HostLog {
  return (line) => {
    const wanted = levelFor(levels, categoryOf(line))
    if (wanted !== 'none' && order.indexOf(line.level) >= order.indexOf(wanted)) log(line)
  }
}

/** Writes each line as one JSON object and a line feed. `now` in milliseconds since the epoch. */
export function jsonLog(write: (text: string) => void, now: () => number): HostLog {
  return (line) => write(`${JSON.stringify({ time: new Date(now()).toISOString(), ...line })}\n`)
}

function categoryOf(line: LogLine): string {
  if (line.functionName === undefined) return 'Host'
  return line.category === 'user' ? `Function.${line.functionName}.User` : `Function.${line.functionName}`
}

function levelFor(levels: LogLevels, category: string): CoreLogLevel {
  let best = 'default'
  for (const key of Object.keys(levels)) {
    const matches = category === key || category.startsWith(`${key}.`)
    if (matches && (best === 'default' || key.length > best.length)) best = key
  }
  return levels[best] ?? 'information'
}
