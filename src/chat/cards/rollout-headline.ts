import type { EventRecord } from '../../model/event.ts'
import { GATE } from '../../model/identity.ts'
import type { Rollout } from '../../model/rollout.ts'
import { quorumOf } from '../../model/step.ts'
import { presentStep, waveName } from '../../model/waves.ts'
import type { Story } from './story.ts'

interface Headline {
  readonly tone: Story['tone']
  /** After `shop/web: `. */
  readonly title: (candidate: string, event: EventRecord, rollout: Rollout | undefined) => string
}

const HEADLINES: Readonly<Record<string, Headline>> = {
  'rollout.started': { tone: 'plain', title: (candidate) => `rollout of ${candidate} started` },
  'rollout.wave-passed': { tone: 'plain', title: nextWave },
  'rollout.awaiting-approval': { tone: 'warning', title: (candidate) => `${candidate} waits for approval` },
  'rollout.approved': { tone: 'plain', title: someApproved },
  'rollout.rolling-back': { tone: 'bad', title: goingBack },
  'rollout.harm-frozen': { tone: 'bad', title: harmFrozen },
  'rollout.rolled-back': { tone: 'bad', title: (candidate) => `${candidate} was rolled back` },
  'rollout.aborted': { tone: 'bad', title: (candidate) => `rollout of ${candidate} was aborted` },
  'rollout.failed': { tone: 'bad', title: (candidate) => `rollout of ${candidate} failed, its way back is not live` },
  'rollout.succeeded': { tone: 'good', title: (candidate) => `${candidate} was promoted` },
  'rollout.paused': { tone: 'warning', title: (candidate) => `rollout of ${candidate} is paused` },
  'rollout.held': { tone: 'warning', title: (candidate) => `rollout of ${candidate} is held back` },
  'rollout.blind': { tone: 'warning', title: (candidate) => `rollout of ${candidate} cannot see its metrics` },
  'rollout.glass-broken': { tone: 'warning', title: (candidate) => `the glass was broken for ${candidate}` },
}

/** What a message about an event of a rollout is headed by; words of other people in it are not yet made plain. */
export function headlineOf(
  event: EventRecord,
  candidate: string,
  rollout: Rollout | undefined,
): { readonly tone: Story['tone']; readonly title: string } {
  const { tone, title } = HEADLINES[event.type] ?? { tone: 'plain', title: () => event.type }
  return { tone, title: title(candidate, event, rollout) }
}

/** The rollout may be further by now: the event tells which wave it entered. */
function nextWave(candidate: string, { data }: EventRecord, rollout: Rollout | undefined): string {
  const wave = typeof data?.wave === 'number' && rollout ? waveName(rollout, data.wave) : ''
  return `${candidate} goes on to ${wave || 'the next wave'}`
}

function someApproved(candidate: string, _event: EventRecord, rollout: Rollout | undefined): string {
  const quorum = quorumOf((rollout && presentStep(rollout)) ?? {})
  const given = rollout?.approvals?.length ?? 0
  return given > 0 && quorum > 1
    ? `${given} of ${quorum} have approved ${candidate}`
    : `${candidate} has one more approval`
}

const WHY: Readonly<Record<string, string>> = {
  WebhookRefused: 'a webhook says no',
  WebhookFailed: 'a webhook does not answer',
  ApprovalExpired: 'nobody approved in time',
}

function goingBack(candidate: string, { actor, reason }: EventRecord): string {
  const why = actor.kind === 'alert' ? 'an alert fired' : actor.id === GATE.id ? 'harm seen' : WHY[reason]
  return `${why === undefined ? '' : `${why}, `}${candidate} is being rolled back`
}

function harmFrozen(candidate: string, _event: EventRecord, rollout: Rollout | undefined): string {
  const harmed = (rollout?.targets ?? []).filter(({ out }) => out === 'harm').map(({ cluster }) => cluster)
  const where = harmed.length === 0 ? '' : ` on ${harmed.join(', ')}`
  return `harm seen${where}, ${candidate} stays as it is elsewhere`
}
