import type { RetryOptions } from './core-types.ts'

/** Waits that grow with failures and start over after a success. */
export interface Backoff {
  /** The next wait in milliseconds. */
  next(succeeded: boolean): number
}

/**
 * Randomised exponential backoff as the WebJobs SDK has it (RandomizedExponentialBackoffStrategy): first the least wait,
 * then least + 2^n × least × 0.8…1.2, until it reaches the most. `random` gives numbers in [0, 1).
 */
export function createBackoff(leastMs: number, mostMs: number, random: () => number): Backoff {
  let currentMs = -1
  let exponent = 0
  return {
    next(succeeded) {
      if (succeeded) {
        currentMs = leastMs
        exponent = 1
        return currentMs
      }
      if (currentMs === mostMs) return currentMs
      const growthMs = exponent === 0 ? 0 : (0.8 + 0.4 * random()) * 2 ** (exponent - 1) * leastMs
      exponent += 1
      currentMs = Math.min(mostMs, leastMs + growthMs)
      return currentMs
    },
  }
}

/** The waits between the tries of one execution, from a registration's retry policy. */
export function retryDelays(options: RetryOptions, random: () => number): () => number {
  if (options.retryStrategy === 'fixedDelay') return () => (options.delayInterval?.seconds ?? 0) * 1000
  const leastMs = (options.minimumInterval?.seconds ?? 0) * 1000
  const backoff = createBackoff(leastMs, (options.maximumInterval?.seconds ?? 0) * 1000, random)
  return () => backoff.next(false)
}
