import type { Clock } from '../ports/clock.ts'

/** The machine's own time. Timers are looked up at each call, so that a test may put fake ones in their place. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const stop = () => {
          clearTimeout(timer)
          reject(signal?.reason)
        }
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', stop)
          resolve()
        }, durationMs)
        signal?.addEventListener('abort', stop, { once: true })
      }),
  }
}
