import type { ServiceDocument } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import type { GateProgress, Rollout, WebhookProgress } from '../model/rollout.ts'
import { webhookLimits } from '../model/step.ts'
import { presentStep } from '../model/waves.ts'
import type { Clock } from '../ports/clock.ts'
import type { WebhookAnswer, Webhooks } from '../ports/webhooks.ts'
import { harmIn } from './harmed-clusters.ts'
import { webhookBody, webhookId } from './webhook-body.ts'
import { callAgainAt, webhookDueAt, webhookIsSpent } from './webhook-due.ts'
import { blindGate } from './weight-rules.ts'

export interface WebhookDeps {
  readonly clock: Clock
  /** Absent: calls are left to who has it, for a call may take longer than who asks now can wait. */
  readonly webhooks?: Webhooks
  /** Where people reach this Meshwright, without a slash at its end: for links. */
  readonly publicUrl?: string
}

/** Name of the secret that signs the calls of steps that name none. */
const SECRET = 'webhook-signing'

/**
 * Calls the receiver of the present webhook step if that is due: its traffic is live, and of what gates see (`progress`)
 * nothing is harm or blind. What the calls have come to; undefined when none was made. A call whose outcome does not get
 * stored is made again, under the same id.
 */
export async function callWebhook(
  deps: WebhookDeps,
  service: ServiceDocument,
  rollout: Rollout,
  progress: readonly GateProgress[],
): Promise<WebhookProgress | undefined> {
  const { webhooks, clock, publicUrl } = deps
  const webhook = dueWebhook(rollout, progress, clock.now())
  if (!webhooks || !webhook) return undefined
  const calledAt = timestamp(clock.now())
  const { outcome, detail, retryAfterMs } = await webhooks.call({
    id: webhookId(rollout),
    url: webhook.url,
    secret: webhook.secret ?? SECRET,
    body: webhookBody(service, rollout, publicUrl),
    deadlineMs: webhookLimits(webhook).deadlineMs,
  })
  const { attempts, failures } = rollout.webhook ?? { attempts: 0, failures: 0 }
  const said = { attempts: attempts + 1, failures: outcome === 'failed' ? failures + 1 : 0, calledAt, outcome, detail }
  const again = callAgainAt(said, clock.now(), retryAfterMs)
  return again === undefined ? said : { ...said, againAt: timestamp(again) }
}

function dueWebhook(rollout: Rollout, progress: readonly GateProgress[], now: number) {
  const step = rollout.phase === 'progressing' && rollout.liveAt !== undefined ? presentStep(rollout) : undefined
  if (!step?.webhook || webhookDueAt(rollout.webhook, now) > now) return undefined
  if (rollout.webhook && webhookIsSpent(step, rollout.webhook)) return undefined
  const looked = { ...rollout, progress }
  return harmIn(looked).length > 0 || blindGate(looked) ? undefined : step.webhook
}

/** The same deps for work that may be run again after a lost race: what a receiver has said by then is not asked twice. */
export function askingOnce<T extends WebhookDeps>(deps: T): T {
  const { webhooks } = deps
  if (!webhooks) return deps
  const answers = new Map<string, Promise<WebhookAnswer>>()
  return {
    ...deps,
    webhooks: {
      call(request) {
        const answer = answers.get(request.id) ?? webhooks.call(request)
        answers.set(request.id, answer)
        return answer
      },
    },
  }
}
