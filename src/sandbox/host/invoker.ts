import { randomUUID } from 'node:crypto'
import { retryDelays } from './backoff.ts'
import type { CoreApp, RegisteredFunction } from './core-module.ts'
import type { InvocationResponse, RetryContextData, TypedData } from './core-types.ts'
import type { HostClock } from './host-clock.ts'
import type { HostLog } from './host-log.ts'
import { runInvocation, triggerOf } from './invocation.ts'
import { newTraceContext } from './trace-context.ts'

/** What a trigger hands to a function. */
export interface TriggerData {
  readonly input: TypedData
  readonly metadata: Readonly<Record<string, TypedData>>
  /** A new one when absent. */
  readonly invocationId?: string
  readonly traceParent?: string | undefined
  readonly traceState?: string | undefined
  /** Fails the invocation, without waiting for the handler, when it resolves first. */
  readonly abandoned?: Promise<Error>
}

export type InvocationOutcome =
  | { readonly succeeded: true; readonly response: InvocationResponse }
  | { readonly succeeded: false; readonly error: Error }

export interface Invoker {
  /** Runs a function once. Never rejects: what the handler throws is logged and returned. */
  invoke(fn: RegisteredFunction, data: TriggerData, retry?: RetryContextData): Promise<InvocationOutcome>
  /**
   * Runs a function and, by its retry policy, runs it again after failures; gives the last outcome. Ends early, with the
   * failure so far, when `signal` is aborted between two tries.
   */
  invokeWithRetries(fn: RegisteredFunction, data: TriggerData, signal: AbortSignal): Promise<InvocationOutcome>
  /** Waits until nothing runs, `limitMs` at most; says how many invocations still ran then. */
  drain(limitMs: number): Promise<number>
}

export interface InvokerOptions {
  readonly app: CoreApp
  readonly clock: HostClock
  readonly log: HostLog
  /** Longest time an invocation may take; undefined for no limit. */
  readonly functionTimeoutMs: number | undefined
  /** Numbers in [0, 1), for the jitter of retries. */
  readonly random: () => number
}

/** The one way in which triggers of all kinds reach functions. */
export function createInvoker(options: InvokerOptions): Invoker {
  const running = new Set<Promise<unknown>>()
  const invoke: Invoker['invoke'] = (fn, data, retry) => {
    const work = invokeOnce(options, fn, data, retry)
    running.add(work)
    return work.finally(() => running.delete(work))
  }
  return {
    invoke,
    invokeWithRetries: (fn, data, signal) => invokeWithRetries(options, invoke, fn, data, signal),
    async drain(limitMs) {
      const over = new AbortController()
      const limit = options.clock.sleep(limitMs, over.signal)
      let waiting = true
      void limit.then(() => {
        waiting = false
      })
      while (running.size > 0 && waiting) await Promise.race([limit, Promise.allSettled(running)])
      over.abort()
      return running.size
    },
  }
}

async function invokeOnce(
  options: InvokerOptions,
  fn: RegisteredFunction,
  data: TriggerData,
  retry: RetryContextData | undefined,
): Promise<InvocationOutcome> {
  const invocationId = data.invocationId ?? randomUUID()
  const about = { category: 'system', functionName: fn.metadata.name, invocationId } as const
  const startedMs = options.clock.now()
  options.log({ ...about, level: 'debug', message: 'Executing' })
  try {
    const request = {
      invocationId,
      functionId: fn.metadata.functionId ?? fn.metadata.name,
      inputData: [{ name: triggerOf(fn).name, data: data.input }],
      triggerMetadata: data.metadata,
      traceContext: newTraceContext(data.traceParent, data.traceState),
      ...(retry ? { retryContext: retry } : {}),
    }
    const response = await inTime(options, data, runInvocation(options.app, fn, request, options.log))
    const durationMs = options.clock.now() - startedMs
    options.log({ ...about, level: 'information', message: `Executed (succeeded, ${durationMs} ms)` })
    return { succeeded: true, response }
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const durationMs = options.clock.now() - startedMs
    options.log({ ...about, level: 'error', message: `Executed (failed, ${durationMs} ms): ${error.stack ?? error}` })
    return { succeeded: false, error }
  }
}

/** Given as the reason, for without one each invocation would make an exception with a stack. */
const OVER = new Error('it is over')

/** The result of `work`, or a throw when the time limit or `data.abandoned` comes first. */
async function inTime<T>(options: InvokerOptions, data: TriggerData, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const ends: Promise<T>[] = [work]
  const limitMs = options.functionTimeoutMs
  if (limitMs !== undefined) {
    const timeout = new Error(`The time limit of ${limitMs} ms was exceeded`)
    ends.push(
      options.clock.sleep(limitMs, over.signal).then(() => (over.signal.aborted ? work : Promise.reject(timeout))),
    )
  }
  if (data.abandoned) ends.push(data.abandoned.then((error) => Promise.reject(error)))
  try {
    return await Promise.race(ends)
  } finally {
    over.abort(OVER)
  }
}

async function invokeWithRetries(
  options: InvokerOptions,
  invoke: Invoker['invoke'],
  fn: RegisteredFunction,
  data: TriggerData,
  signal: AbortSignal,
): Promise<InvocationOutcome> {
  const policy = fn.metadata.retryOptions
  let outcome = await invoke(fn, data)
  if (!policy) return outcome
  const nextDelayMs = retryDelays(policy, options.random)
  const most = policy.maxRetryCount
  for (let retryCount = 1; !outcome.succeeded && (most === -1 || retryCount <= most); retryCount += 1) {
    await options.clock.sleep(nextDelayMs(), signal)
    if (signal.aborted) return outcome
    const { message, stack } = outcome.error
    const exception = { message, source: '', stackTrace: stack ?? '' }
    outcome = await invoke(fn, data, { retryCount, maxRetryCount: most, exception })
  }
  return outcome
}
