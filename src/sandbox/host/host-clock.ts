/** Time as the host sees it; tests give their own. */
export interface HostClock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Resolves after `durationMs`, or at once when `signal` is aborted. Never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}

// setTimeout takes 32 bits; a longer wait ends early and its caller looks at the time again.
const longestTimerMs = 2 ** 31 - 1

/** The machine's own clock. A wait keeps the process alive. That of node:timers makes an exception for each that is aborted. */
export const realClock: HostClock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const end = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, Math.min(durationMs, longestTimerMs))
      signal?.addEventListener('abort', end, { once: true })
    }),
}
