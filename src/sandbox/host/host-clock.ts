import { setTimeout as delay } from 'node:timers/promises'

/** Time as the host sees it; tests give their own. */
export interface HostClock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Resolves after `durationMs`, or at once when `signal` is aborted. Never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}

// setTimeout takes 32 bits; a longer wait ends early and its caller looks at the time again.
const longestTimerMs = 2 ** 31 - 1

/** The machine's own clock. A wait keeps the process alive. */
export const realClock: HostClock = {
  now: () => Date.now(),
  async sleep(durationMs, signal) {
    if (signal?.aborted) return
    await delay(Math.min(durationMs, longestTimerMs), undefined, signal ? { signal } : {}).catch(() => {})
  },
}
