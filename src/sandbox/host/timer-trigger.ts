import type { Table } from '../emulators/emulator.ts'
import type { RegisteredFunction } from './core-module.ts'
import type { HostClock } from './host-clock.ts'
import { triggerOf } from './invocation.ts'
import type { InvocationOutcome, Invoker } from './invoker.ts'
import { parseSchedule, type Schedule } from './schedule.ts'

/** What is remembered of a timer; milliseconds since the epoch. `lastMs` is undefined before the first run. */
export interface TimerStatus {
  readonly lastMs?: number
  readonly nextMs: number
  readonly updatedMs: number
}

/** Where the status of timers outlives the process, so that a missed run is noticed. */
export interface TimerStore {
  get(functionName: string): TimerStatus | undefined
  put(functionName: string, status: TimerStatus): void
}

/** Timers remembered in a table of the sandbox. */
export function timerStoreOn(table: Table): TimerStore {
  return {
    get: (functionName) => table.get(functionName) as TimerStatus | undefined,
    put: (functionName, status) => table.put(functionName, status),
  }
}

/** A running timer. */
export interface TimerTrigger {
  /** Runs the function now, after a run that is under way; the schedule goes on as before. */
  runNow(): Promise<InvocationOutcome>
  /** Ends when the loop has stopped (see the signal given at the start) and nothing of it runs. */
  readonly stopped: Promise<void>
}

export interface TimerOptions {
  readonly fn: RegisteredFunction
  /** The schedule after `%SETTING%` has been replaced. */
  readonly expression: string
  readonly invoker: Invoker
  readonly clock: HostClock
  readonly store: TimerStore | undefined
  readonly signal: AbortSignal
}

/**
 * Runs a function by its schedule, as Azure's TimerListener does: runs never overlap, the next time is counted from the
 * start of the run before, a time that passed meanwhile is run once and at once, and a failure changes nothing. With a
 * store, one run with `isPastDue` makes up for all that were missed while the host was down (not for schedules that come
 * more often than once a minute). Throws for a schedule that is none.
 */
export function startTimer(options: TimerOptions): TimerTrigger {
  const schedule = parseSchedule(options.expression)
  const { binding } = triggerOf(options.fn)
  const store = schedule.frequent || binding.useMonitor === false ? undefined : options.store
  const { status, pastDue } = firstStatus(options, schedule, store)
  const timer: Timer = { options, schedule, store, status, lock: Promise.resolve() }
  const startup = pastDue ? 'past due' : binding.runOnStartup === true ? 'run' : undefined
  return { runNow: () => run(timer, false), stopped: loop(timer, startup) }
}

interface Timer {
  readonly options: TimerOptions
  readonly schedule: Schedule
  readonly store: TimerStore | undefined
  status: TimerStatus
  /** The run under way, or the last one. */
  lock: Promise<unknown>
}

async function loop(timer: Timer, atStart: 'past due' | 'run' | undefined): Promise<void> {
  const { clock, signal, fn } = timer.options
  let startup = atStart
  while (!signal.aborted) {
    if (startup === undefined) await sleepUntil(clock, timer.status.nextMs, signal)
    if (signal.aborted) break
    const startedMs = clock.now()
    await run(timer, startup === 'past due')
    // A clock that runs early must not give the same time twice.
    const countedMs = startup === undefined ? Math.max(startedMs, timer.status.nextMs) : startedMs
    timer.status = { lastMs: countedMs, nextMs: timer.schedule.next(countedMs), updatedMs: countedMs }
    timer.store?.put(fn.metadata.name, timer.status)
    startup = undefined
  }
  await timer.lock
}

/** The status to go on from, and whether a run was missed. A changed schedule never counts as missed. */
function firstStatus(
  options: TimerOptions,
  schedule: Schedule,
  store: TimerStore | undefined,
): { readonly status: TimerStatus; readonly pastDue: boolean } {
  const nowMs = options.clock.now()
  const fresh = { nextMs: schedule.next(nowMs), updatedMs: nowMs }
  const known = store?.get(options.fn.metadata.name)
  if (known && known.nextMs === schedule.next(known.lastMs ?? known.updatedMs)) {
    return { status: known, pastDue: nowMs > known.nextMs }
  }
  store?.put(options.fn.metadata.name, fresh)
  return { status: fresh, pastDue: false }
}

function run(timer: Timer, isPastDue: boolean): Promise<InvocationOutcome> {
  const { fn, invoker, signal } = timer.options
  const work = timer.lock.then(() => {
    const info = {
      Schedule: { AdjustForDST: timer.schedule.adjustForDst },
      ScheduleStatus: timer.store ? statusInfo(timer.status) : null,
      IsPastDue: isPastDue,
    }
    const data = { input: { json: JSON.stringify(info) }, metadata: {} }
    return invoker.invokeWithRetries(fn, data, signal)
  })
  timer.lock = work
  return work
}

function statusInfo(status: TimerStatus): object {
  const last = status.lastMs === undefined ? '0001-01-01T00:00:00+00:00' : iso(status.lastMs)
  return { Last: last, Next: iso(status.nextMs), LastUpdated: iso(status.updatedMs) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '+00:00')
}

/** Waits in parts: a real timer holds 24 days at most. */
async function sleepUntil(clock: HostClock, untilMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && clock.now() < untilMs) await clock.sleep(untilMs - clock.now(), signal)
}
