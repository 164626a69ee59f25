import type { ChangeFeedSource } from './change-feed-source.ts'
import { runChangeFeedTrigger } from './change-feed-trigger.ts'
import type { RegisteredFunction } from './core-module.ts'
import type { HostClock } from './host-clock.ts'
import type { HostLog } from './host-log.ts'
import type { HostSettings } from './host-settings.ts'
import { triggerOf } from './invocation.ts'
import type { Invoker } from './invoker.ts'
import type { QueueSource } from './queue-source.ts'
import { runQueueTrigger } from './queue-trigger.ts'
import { parseSchedule } from './schedule.ts'
import { startTimer, type TimerStore, type TimerTrigger } from './timer-trigger.ts'
import { type AppSettings, feedSettings, textSetting } from './trigger-settings.ts'

export interface TriggersOptions {
  readonly functions: ReadonlyMap<string, RegisteredFunction>
  readonly hostSettings: HostSettings
  readonly appSettings: AppSettings
  readonly queue: QueueSource | undefined
  readonly cosmos: ChangeFeedSource | undefined
  readonly timers: TimerStore | undefined
  readonly queueLockMs: number
  readonly invoker: Invoker
  readonly clock: HostClock
  readonly random: () => number
  readonly log: HostLog
  readonly signal: AbortSignal
}

/** The triggers that look for work themselves. */
export interface Triggers {
  readonly timers: ReadonlyMap<string, TimerTrigger>
  /** Begins; resolves when all have stopped, which they do after the signal is aborted. To be called once. */
  start(): Promise<unknown>
}

type Start = (fn: RegisteredFunction) => () => Promise<void>

/**
 * Reads the registrations of timers, queues and change feeds. Throws when one asks for what this host does not have: another
 * trigger, an output binding, a service that was not given.
 */
export function prepareTriggers(options: TriggersOptions): Triggers {
  const timers = new Map<string, TimerTrigger>()
  const starts: Readonly<Record<string, Start>> = {
    httptrigger: () => async () => {},
    warmuptrigger: () => async () => {},
    timertrigger: (fn) => timerStart(options, fn, timers),
    queuetrigger: (fn) => queueStart(options, fn),
    cosmosdbtrigger: (fn) => feedStart(options, fn),
  }
  const ready = [...options.functions.values()].map((fn) => {
    refuseOtherBindings(fn)
    const { binding } = triggerOf(fn)
    const start = starts[binding.type.toLowerCase()]
    if (!start) throw new Error(`Function "${fn.metadata.name}": the local host has no ${binding.type}`)
    return start(fn)
  })
  refuseSharedLeases(options)
  return { timers, start: () => Promise.all(ready.map((start) => start())) }
}

function timerStart(options: TriggersOptions, fn: RegisteredFunction, timers: Map<string, TimerTrigger>) {
  const { invoker, clock, signal, timers: store } = options
  const expression = textSetting(triggerOf(fn).binding, 'schedule', options.appSettings)
  parseSchedule(expression).next(clock.now())
  return async (): Promise<void> => {
    const timer = startTimer({ fn, expression, invoker, clock, store, signal })
    timers.set(fn.metadata.name, timer)
    await timer.stopped
  }
}

function queueStart(options: TriggersOptions, fn: RegisteredFunction) {
  const { queue: source, queueLockMs: lockMs, hostSettings, invoker, clock, random, log, signal } = options
  if (!source) throw new Error(`Function "${fn.metadata.name}" needs a queue service`)
  const queue = textSetting(triggerOf(fn).binding, 'queueName', options.appSettings).toLowerCase()
  const settings = hostSettings.queues
  return () => runQueueTrigger({ fn, queue, source, settings, lockMs, invoker, clock, random, log, signal })
}

function feedStart(options: TriggersOptions, fn: RegisteredFunction) {
  const { cosmos: source, invoker, clock, log, signal } = options
  if (!source) throw new Error(`Function "${fn.metadata.name}" needs Cosmos DB`)
  const settings = feedSettings(triggerOf(fn).binding, options.appSettings)
  return () => runChangeFeedTrigger({ fn, settings, source, invoker, clock, log, signal })
}

function refuseOtherBindings(fn: RegisteredFunction): void {
  const trigger = triggerOf(fn).name
  for (const [name, binding] of Object.entries(fn.metadata.bindings)) {
    if (name === trigger || (name === '$return' && binding.type.toLowerCase() === 'http')) continue
    throw new Error(`Function "${fn.metadata.name}": the local host has no binding ${binding.type} ("${name}")`)
  }
}

/** In Azure two such functions would take each other's changes; here that is refused. */
function refuseSharedLeases(options: TriggersOptions): void {
  const owners = new Map<string, string>()
  for (const fn of options.functions.values()) {
    const { binding } = triggerOf(fn)
    if (binding.type.toLowerCase() !== 'cosmosdbtrigger') continue
    const { monitored, leases, leasePrefix } = feedSettings(binding, options.appSettings)
    const key = JSON.stringify([monitored, leases, leasePrefix])
    const other = owners.get(key)
    if (other)
      throw new Error(`"${other}" and "${fn.metadata.name}" share leases: give them a leaseContainerPrefix each`)
    owners.set(key, fn.metadata.name)
  }
}
