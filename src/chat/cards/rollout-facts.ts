import type { EventRecord } from '../../model/event.ts'
import { isHeldBack, type Rollout } from '../../model/rollout.ts'
import { quorumOf, stepText } from '../../model/step.ts'
import { presentStep, stepsOf, waveName } from '../../model/waves.ts'
import { plainText } from './plain-text.ts'
import type { Fact } from './story.ts'

/** Facts about a rollout as it is now, and about the event. What has nothing to say is left out. */
export function rolloutFacts(
  event: EventRecord,
  service: string,
  candidate: string,
  rollout: Rollout | undefined,
): readonly Fact[] {
  const facts: readonly (readonly [name: string, value: string, most: number])[] = [
    ['Service', service, 130],
    ['Candidate', candidate, 63],
    ...(rollout ? whereFacts(rollout) : []),
    ['Highest weight', highest(event, rollout), 10],
    ...(rollout ? peopleFacts(rollout) : []),
    ['By', event.actor.name, 100],
    ['Reason', event.reason, 100],
    ['Commit', rollout?.source?.commit ?? '', 100],
    ['When', `${event.time.slice(0, 16).replace('T', ' ')} UTC`, 30],
  ]
  return facts.flatMap(([name, value, most]) => (value === '' ? [] : [{ name, value: plainText(value, most) }]))
}

type Row = readonly [name: string, value: string, most: number]

/** How far it is, and what holds it there. */
function whereFacts(rollout: Rollout): readonly Row[] {
  const { targets, webhook, message } = rollout
  const step = presentStep(rollout)
  return [
    ['Clusters', targets.map(({ cluster }) => cluster).join(', '), 200],
    ['Wave', waveName(rollout).replace(/^wave /, ''), 200],
    ['Step', step ? `${rollout.step + 1} of ${stepsOf(rollout).length}, ${stepText(step)}` : '', 200],
    ['Webhook', webhook ? `${webhook.outcome}: ${webhook.detail}` : '', 300],
    ['Held back', isHeldBack(rollout) ? message : '', 300],
  ]
}

/** Who has said yes to the present step, who may not, and who broke the glass. */
function peopleFacts(rollout: Rollout): readonly Row[] {
  const { approvals = [], actor, separateDuties, breakGlass, phase } = rollout
  const quorum = quorumOf(presentStep(rollout) ?? {})
  const names = approvals.map(({ name }) => name).join(', ')
  const given = quorum > 1 ? `${approvals.length} of ${quorum}${names === '' ? '' : `: ${names}`}` : names
  const isAsked = phase === 'awaiting-approval'
  return [
    ['Approved by', isAsked || approvals.length > 0 ? given : '', 300],
    ['May not approve', isAsked && separateDuties === true ? `${actor.name}, who started it` : '', 150],
    ['Glass broken by', breakGlass ? `${breakGlass.actor.name}: ${breakGlass.reason}` : '', 300],
  ]
}

/** What the candidate got before it was taken back. */
function highest({ type }: EventRecord, rollout: Rollout | undefined): string {
  if (!/^rollout\.(rolling-back|rolled-back|aborted|failed)$/.test(type)) return ''
  const most = Math.max(0, ...(rollout?.targets ?? []).map(({ highestWeight = 0 }) => highestWeight))
  return most === 0 ? '' : `${most} %`
}
