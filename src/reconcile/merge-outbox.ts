import type { OutboxEntry } from '../model/outbox.ts'

/**
 * The outbox after a pass. `pass` is the kind of message that asks for the next one when one was scheduled now: it takes the
 * place of one that waits, for it is later, and by a document as new.
 */
export function mergeOutbox(
  before: readonly OutboxEntry[],
  added: readonly OutboxEntry[],
  pass: 'reconcile' | 'deliver' | 'trust' | undefined,
): readonly OutboxEntry[] {
  const ids = new Set(added.map(({ id }) => id))
  const isReplaced = (entry: OutboxEntry) =>
    entry.kind === 'work' && entry.message.kind === pass && entry.notBefore !== undefined
  return [...before.filter((entry) => !ids.has(entry.id) && !isReplaced(entry)), ...added]
}
