import type { Clock } from '../ports/clock.ts'
import { isPortError, PortError } from '../ports/port-error.ts'

/** Lets calls to one place pass one after the other, and none while the place has asked for rest. */
export interface Turns {
  /**
   * Runs `call` once those before it to the same place are done. Throws PortError `throttled` at once, without a call,
   * until the time that the place's last `throttled` asked for is over. Not run when `signal` is aborted by then.
   */
  run<T>(place: string, signal: AbortSignal, call: () => Promise<T>): Promise<T>
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

export function oneAtATime(clock: Clock): Turns {
  const last = new Map<string, Promise<unknown>>()
  const restUntil = new Map<string, number>()
  const pass = async <T>(place: string, signal: AbortSignal, call: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    const restMs = (restUntil.get(place) ?? 0) - clock.now()
    if (restMs > 0) {
      const message = `${place} asked for rest after too many requests`
      throw new PortError('throttled', place, message, { reason: 'Resting', retryAfterMs: restMs })
    }
    restUntil.delete(place)
    try {
      return await call()
    } catch (error) {
      if (isPortError(error, 'throttled') && error.retryAfterMs !== undefined) {
        restUntil.set(place, clock.now() + error.retryAfterMs)
      }
      throw error
    }
  }
  return {
    run(place, signal, call) {
      const before = last.get(place) ?? Promise.resolve()
      const mine = before.then(() => pass(place, signal, call))
      // A call that does not heed its signal keeps nobody waiting.
      const settled = before.then(() => Promise.race([mine.catch(() => undefined), abortOf(signal)]))
      last.set(place, settled)
      void settled.then(() => {
        if (last.get(place) === settled) last.delete(place)
      })
      return mine
    },
  }
}
