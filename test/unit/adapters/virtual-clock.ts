import type { Clock } from '../../../src/ports/clock.ts'

export interface VirtualClock extends Clock {
  /** Lets time pass, waking sleepers in order; pending promises run between. */
  pass(durationMs: number): Promise<void>
  /** How many sleep now. */
  sleepers(): number
}

/** A clock that stands still until it is told to go on. */
export function virtualClock(startMs = Date.UTC(2030, 0, 1)): VirtualClock {
  let now = startMs
  const sleeping = new Set<{ wakeAt: number; wake: () => void }>()
  return {
    now: () => now,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const sleeper = { wakeAt: now + durationMs, wake: resolve }
        sleeping.add(sleeper)
        signal?.addEventListener('abort', () => {
          sleeping.delete(sleeper)
          reject(signal.reason)
        })
      }),
    async pass(durationMs) {
      const end = now + durationMs
      for (;;) {
        await settle()
        const next = [...sleeping].toSorted((a, b) => a.wakeAt - b.wakeAt)[0]
        if (next === undefined || next.wakeAt > end) break
        sleeping.delete(next)
        now = Math.max(now, next.wakeAt)
        next.wake()
      }
      now = end
      await settle()
    },
    sleepers: () => sleeping.size,
  }
}

/** Lets everything that is ready run, promises and I/O callbacks of this turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
