import type { WebhookProgress } from '../model/rollout.ts'
import { type StepSpec, webhookLimits } from '../model/step.ts'

const ASK_AGAIN_MS = 30_000
const FIRST_RETRY_MS = 5000
const LAST_RETRY_MS = 300_000

/**
 * When a webhook step is to be called next, in epoch milliseconds: at once the first time, every 30 s while the other side
 * asks for time, and after a call that failed in 5 s, 10 s, 20 s … 5 minutes at most.
 */
export function webhookDueAt(said: WebhookProgress | undefined, now: number): number {
  if (said === undefined) return now
  const again =
    said.outcome === 'waiting' ? ASK_AGAIN_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (said.attempts - 1))
  return Date.parse(said.calledAt) + again
}

/** Did the last of all the calls that it may have fail? */
export function webhookIsSpent({ webhook }: StepSpec, { outcome, attempts }: WebhookProgress): boolean {
  return outcome === 'failed' && attempts > (webhook ? webhookLimits(webhook).retries : 0)
}
