import { formatDuration } from '../model/names.ts'
import type { Clock } from '../ports/clock.ts'
import { PortError } from '../ports/port-error.ts'

/** Given as the reason, for without one each call would make an exception with a stack. */
const OVER = new Error('it is over')

/**
 * Runs a call and gives up after `durationMs`: throws PortError `unavailable` with reason `Timeout`, aborts the signal,
 * and does not wait for the call to notice. SDKs need it: their own timeouts count each try anew.
 */
export async function withDeadline<T>(
  clock: Clock,
  durationMs: number,
  system: string,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const done = new AbortController()
  const expiry = clock.sleep(durationMs, done.signal).then(() => {
    const message = `${system} did not answer within ${formatDuration(durationMs)}`
    const error = new PortError('unavailable', system, message, { reason: 'Timeout' })
    late.abort(error)
    throw error
  })
  try {
    return await Promise.race([call(late.signal), expiry])
  } finally {
    done.abort(OVER)
  }
}
