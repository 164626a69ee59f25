import { timestamp } from '../model/names.ts'

/** The sweep takes a document up when the message for its next pass is this late. */
export const SWEEP_SLACK_MS = 30_000
/** Queues count whole seconds: the message of a pass that is so near may be the one that is being handled. */
const EARLY_MS = 1500

/**
 * When the sweep takes a document up whose next pass is wanted `again` (epoch milliseconds), and whether a message is to be
 * sent for it. A message for the next pass that is under way already is not sent twice, or every extra call would start a
 * chain. `before` is the due time that the document has.
 */
export function nextDue(
  before: string | undefined,
  again: number | undefined,
  now: number,
): { readonly dueAt?: string; readonly schedule?: number } {
  if (again === undefined) return {}
  const pending = before === undefined ? undefined : Date.parse(before) - SWEEP_SLACK_MS
  if (before !== undefined && pending !== undefined && pending > now + EARLY_MS && pending <= again)
    return { dueAt: before }
  return { dueAt: timestamp(again + SWEEP_SLACK_MS), schedule: again }
}
