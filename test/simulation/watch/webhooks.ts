import type { Rollout } from '../../../src/model/rollout.ts'
import { type EmulatorRequest, type EmulatorResponse, jsonBody } from '../../../src/sandbox/emulators/emulator.ts'
import { bodyText } from '../../../src/sandbox/transports/wire.ts'
import type { Acting } from '../network.ts'
import type { Question, Receivers } from '../webhook-receivers.ts'
import type { Broke } from './kinds.ts'

/** Webhooks of steps: one question has one id however often it is asked, and one outcome that counts. */
export interface WebhookWatch {
  listen(receivers: Receivers): void
  /** Every call as it is sent. */
  sent(acting: Acting, request: EmulatorRequest): void
  /** Every answer that reached a process. */
  answered(acting: Acting, request: EmulatorRequest, response: EmulatorResponse): void
  /** Every write of a rollout. */
  written(was: Rollout | undefined, is: Rollout): void
  /** Did a receiver say so to the present step of the rollout, in a time in which the app could hear it? */
  said(rollout: Rollout, verdict: 'pass' | 'fail'): boolean
  /** Calls of the present step that came to nothing, or of which nothing is heard yet. */
  failures(rollout: Rollout): number
}

export function watchWebhooks(broke: Broke): WebhookWatch {
  const ids = new Map<string, string>()
  const steps = new Map<string, string>()
  const sent = new Map<string, number>()
  const heard = new Map<string, string[]>()
  const settled = new Map<string, string>()
  const of = (rollout: Rollout) => heard.get(ids.get(placeOf(rollout)) ?? '') ?? []
  return {
    listen(receivers) {
      receivers.onCall((question, refusal) => {
        if (refusal !== undefined) broke(`webhook ${question.id} is not signed: ${refusal}`)
        const place = placeOf({ ...question, id: question.rollout })
        if (question.id === '' || (ids.get(place) ?? question.id) !== question.id)
          broke(`${place} is asked under the ids ${ids.get(place)} and ${question.id}`)
        if ((steps.get(question.id) ?? place) !== place)
          broke(`webhook-id ${question.id} is of ${steps.get(question.id)} and of ${place}`)
        ids.set(place, question.id)
        steps.set(question.id, place)
      })
    },
    sent({ system }, request) {
      if (system !== 'webhook') return
      const { data } = jsonBody(request) as { readonly data: Omit<Question, 'id'> }
      const place = placeOf({ ...data, id: data.rollout })
      sent.set(place, (sent.get(place) ?? 0) + 1)
    },
    answered({ system }, { headers }, response) {
      const id = headers['webhook-id']
      if (system !== 'webhook' || id === undefined) return
      heard.set(id, [...(heard.get(id) ?? []), verdictOf(response)])
    },
    written(_was, is) {
      const { webhook } = is
      if (!webhook || (webhook.outcome !== 'passed' && webhook.outcome !== 'refused')) return
      const place = placeOf(is)
      const before = settled.get(place) ?? webhook.outcome
      if (before !== webhook.outcome) broke(`${place}: the webhook ${before}, then ${webhook.outcome}`)
      settled.set(place, webhook.outcome)
      const verdict = webhook.outcome === 'passed' ? 'pass' : 'fail'
      if (!of(is).includes(verdict)) broke(`${place}: the webhook ${webhook.outcome}, and nobody said ${verdict}`)
    },
    said: (rollout, verdict) => of(rollout).includes(verdict),
    failures: (rollout) =>
      (sent.get(placeOf(rollout)) ?? 0) - of(rollout).filter((verdict) => verdict !== 'nothing').length,
  }
}

function placeOf({ id, wave = 0, step }: Pick<Rollout, 'id' | 'wave' | 'step'> | Question): string {
  return `${id} wave ${wave} step ${step}`
}

/** As docs/rollouts.md has it. */
function verdictOf(response: EmulatorResponse): 'pass' | 'fail' | 'wait' | 'nothing' {
  const { status } = response
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status)) return 'fail'
  if (status >= 300) return 'nothing'
  try {
    const { verdict = 'pass' } = JSON.parse(bodyText(response)) as { readonly verdict?: string }
    return verdict === 'pass' || verdict === 'fail' || verdict === 'wait' ? verdict : 'nothing'
  } catch {
    return 'nothing'
  }
}
