import { Cron } from 'croner'
import { type Failure, fail } from '../model/failure.ts'
import { durationMs } from '../model/names.ts'
import type { TimeWindow } from '../model/window.ts'

/** Is one of the windows open now, and if not, when is the next? */
export interface WindowState {
  readonly open: boolean
  /** Epoch milliseconds; absent while open, and when no window opens any more. */
  readonly opensAt?: number
}

/** What is wrong with a window's cron or time zone; undefined when it can be used. */
export function windowProblem(window: TimeWindow): { field: 'cron' | 'timeZone'; reason: string } | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: window.timeZone })
  } catch {
    return { field: 'timeZone', reason: 'is no IANA time zone' }
  }
  try {
    // A pattern such as 31 February is well-formed and never comes.
    if (cronOf(window).nextRun(new Date(0)) !== null) return undefined
    return { field: 'cron', reason: 'never comes' }
  } catch {
    return { field: 'cron', reason: 'must have five fields: minute hour day month weekday' }
  }
}

/** The failure that names each window that cannot be used, by its place in the field that `pointer` names; undefined when all can. */
export function windowsProblem(windows: readonly TimeWindow[] | undefined, pointer = '/windows'): Failure | undefined {
  const errors = (windows ?? []).flatMap((window, index) => {
    const problem = windowProblem(window)
    return problem ? [{ pointer: `${pointer}/${index}/${problem.field}`, reason: problem.reason }] : []
  })
  if (errors.length === 0) return undefined
  return fail('InvalidCombination', 'A window cannot be used.', { errors }).failure
}

/** Without windows it is always open. */
export function windowState(windows: readonly TimeWindow[] | undefined, now: number): WindowState {
  if (windows === undefined || windows.length === 0) return { open: true }
  const next: number[] = []
  for (const window of windows) {
    const cron = cronOf(window)
    const began = cron.nextRun(new Date(now - durationMs(window.for)))?.getTime()
    if (began !== undefined && began <= now) return { open: true }
    const begins = cron.nextRun(new Date(now))?.getTime()
    if (begins !== undefined) next.push(begins)
  }
  return next.length === 0 ? { open: false } : { open: false, opensAt: Math.min(...next) }
}

function cronOf({ cron, timeZone }: TimeWindow): Cron {
  return new Cron(cron, { timezone: timeZone, mode: '5-part', paused: true })
}
