import type { IdempotencyRecord } from './documents.ts'
import { fail, type Result, succeed } from './failure.ts'
import type { IdempotencyKey } from './request.ts'

const KEPT = 50
const KEPT_MS = 24 * 3_600_000

/** The first answer to the same key, undefined when the key is new, or a failure when it came with another body. */
export function replayOf(
  records: readonly IdempotencyRecord[],
  key: IdempotencyKey | undefined,
): Result<IdempotencyRecord | undefined> {
  const record = key && records.find((record) => record.id === key.id)
  if (record && record.body !== key.body) {
    return fail('IdempotencyMismatch', 'This Idempotency-Key came before with another body.', {
      errors: [{ pointer: 'header/idempotency-key', reason: 'was used with another body within the last 24 hours' }],
    })
  }
  return succeed(record)
}

/** `records` with the answer to a new key; old ones are let go. */
export function remember(
  records: readonly IdempotencyRecord[],
  key: IdempotencyKey | undefined,
  answer: { readonly at: string; readonly status: number; readonly result: unknown },
): readonly IdempotencyRecord[] {
  if (!key) return records
  const oldest = Date.parse(answer.at) - KEPT_MS
  const kept = records.filter((record) => Date.parse(record.at) > oldest && record.id !== key.id)
  return [...kept.slice(-(KEPT - 1)), { ...key, ...answer }]
}
