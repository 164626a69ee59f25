import type { WebhookProgress } from '../model/rollout.ts'
import { type StepSpec, webhookLimits } from '../model/step.ts'

const ASK_AGAIN_MS = 30_000
const LEAST_WAIT_MS = 1000
const FIRST_RETRY_MS = 5000
const LONGEST_WAIT_MS = 300_000

/** When a webhook step is to be called next, in epoch milliseconds: at once the first time, never after a yes or a no. */
export function webhookDueAt(said: WebhookProgress | undefined, now: number): number {
  if (said === undefined) return now
  return said.againAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(said.againAt)
}

/**
 * When to call again after a call that ended at `now`, in epoch milliseconds: in 30 s while the other side asks for time
 * (or as long as it says), after the first call that failed in 5 s, then 10 s, 20 s …; 5 minutes at most. Undefined after
 * a yes or a no.
 */
export function callAgainAt(
  { outcome, failures }: Pick<WebhookProgress, 'outcome' | 'failures'>,
  now: number,
  retryAfterMs = 0,
): number | undefined {
  if (outcome === 'passed' || outcome === 'refused') return undefined
  const wanted =
    outcome === 'waiting'
      ? Math.max(LEAST_WAIT_MS, retryAfterMs || ASK_AGAIN_MS)
      : Math.max(retryAfterMs, FIRST_RETRY_MS * 2 ** (failures - 1))
  return now + Math.min(LONGEST_WAIT_MS, wanted)
}

/** Did all the calls that may fail one after the other fail? */
export function webhookIsSpent({ webhook }: StepSpec, { failures }: Pick<WebhookProgress, 'failures'>): boolean {
  return webhook !== undefined && failures > webhookLimits(webhook).retries
}
