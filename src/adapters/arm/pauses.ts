import type { Clock } from '../../ports/clock.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'

const LEAST_MS = 1000

/**
 * Keeps away from what Azure throttles until the time that it names. `bucket` is what shares a limit: a cluster for reads of
 * it, a subscription for all else.
 */
export function pauses(clock: Clock): <T>(bucket: string, system: string, call: () => Promise<T>) => Promise<T> {
  const until = new Map<string, number>()
  return async (bucket, system, call) => {
    const retryAfterMs = (until.get(bucket) ?? 0) - clock.now()
    if (retryAfterMs > 0) {
      const message = `${system} is not asked: Azure said to wait`
      throw new PortError('throttled', system, message, { reason: 'ArmThrottled', retryAfterMs })
    }
    try {
      return await call()
    } catch (error) {
      if (isPortError(error, 'throttled')) until.set(bucket, clock.now() + Math.max(LEAST_MS, error.retryAfterMs ?? 0))
      throw error
    }
  }
}
