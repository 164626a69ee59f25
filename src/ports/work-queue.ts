import type { QueueName, WorkMessage } from '../model/outbox.ts'

/** At-least-once, unordered. Throws PortError. */
export interface WorkQueue {
  /** `delayMs`: not handed out before (7 days at most). */
  send(queue: QueueName, message: WorkMessage, delayMs?: number): Promise<void>
}
