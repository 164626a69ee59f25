import type { QueueName } from './outbox.ts'

/** Which queue a look at a place goes to: who reads clusters, or who reads vaults. */
export function watchQueue(found: string): QueueName {
  return found.startsWith('cluster/') ? 'work' : 'lifecycle'
}
