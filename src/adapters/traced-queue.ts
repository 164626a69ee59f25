import type { Telemetry } from '../ports/telemetry.ts'
import type { WorkQueue } from '../ports/work-queue.ts'

/**
 * A queue whose messages carry on the trace of who sends them. One that has to wait does not: what happens then is a
 * story of its own, and a rollout of hours would be one endless trace.
 */
export function tracedQueue(queue: WorkQueue, telemetry: Telemetry): WorkQueue {
  return {
    send(name, message, delayMs = 0) {
      const trace = delayMs > 0 ? undefined : (message.trace ?? telemetry.traceparent())
      return queue.send(name, trace === undefined ? message : { ...message, trace }, delayMs)
    },
  }
}
