import type { EventRecord } from './event.ts'
import type { Notice } from './team.ts'

/** One channel that a notification has to reach. */
export interface NotificationSend {
  /** `teams/shop`, `slack/shop`: channel kind and team. Unique within a notification. */
  readonly channel: string
  /** `skipped`: newer news overtook it before it could be sent. */
  readonly state: 'waiting' | 'sent' | 'given-up' | 'skipped'
  readonly attempts: number
  /** RFC 3339: not before (quiet hours, throttling, backoff, or another worker that has it in hand). */
  readonly notBefore?: string
  /** RFC 3339: given up when it could not be sent by then. */
  readonly giveUpAt: string
  /** Why the last try failed, or why it was skipped; no secret. */
  readonly message?: string
  /** RFC 3339. */
  readonly sentAt?: string
}

/** An event that people are told of, and how far that has come. */
export interface NotificationState {
  /** Hash of the event's id: the same event makes one notification. */
  readonly name: string
  readonly event: EventRecord
  /** Absent until the channels were looked up. */
  readonly sends?: readonly NotificationSend[]
}

interface Told {
  readonly notice: Notice
  /** Comes at once, also in quiet hours. */
  readonly urgent: boolean
}

/** Events that people are told of. `rollout.baking` is none: a promotion is told once, when it has held. */
const TOLD: Readonly<Record<string, Told>> = {
  'rollout.started': { notice: 'started', urgent: false },
  'rollout.wave-passed': { notice: 'started', urgent: false },
  'rollout.awaiting-approval': { notice: 'approval', urgent: true },
  'rollout.approved': { notice: 'approval', urgent: false },
  'rollout.rolling-back': { notice: 'harm', urgent: true },
  'rollout.harm-frozen': { notice: 'harm', urgent: true },
  'rollout.rolled-back': { notice: 'rolled-back', urgent: true },
  'rollout.aborted': { notice: 'rolled-back', urgent: true },
  'rollout.failed': { notice: 'rolled-back', urgent: true },
  'rollout.succeeded': { notice: 'promoted', urgent: false },
  'rollout.paused': { notice: 'paused', urgent: false },
  'rollout.held': { notice: 'paused', urgent: false },
  'rollout.blind': { notice: 'paused', urgent: false },
  'rollout.glass-broken': { notice: 'glass', urgent: true },
  'certificate.near-expiry': { notice: 'certificates', urgent: false },
  'certificate.awaiting-issuer': { notice: 'certificates', urgent: false },
  'certificate.rotated': { notice: 'certificates', urgent: false },
  'certificate.rotation-failed': { notice: 'certificates', urgent: true },
  'certificate.version-gone': { notice: 'certificates', urgent: true },
  'certificate.held': { notice: 'certificates', urgent: true },
  'certificate.changed-elsewhere': { notice: 'certificates', urgent: true },
  'certificate.rotation-aborted': { notice: 'certificates', urgent: false },
  'certificate.freeze-passed': { notice: 'certificates', urgent: false },
}

/** Under which of a team's notices an event falls; undefined when people are not told of it. */
export function noticeOf(event: Pick<EventRecord, 'type' | 'actor'>): Notice | undefined {
  const told = Object.hasOwn(TOLD, event.type) ? TOLD[event.type] : undefined
  // Who takes a rollout back knows it; they and the others hear of its end.
  const byHand = event.actor.kind === 'person' || event.actor.kind === 'application'
  return event.type === 'rollout.rolling-back' && byHand ? undefined : told?.notice
}

/**
 * Harm, what was rolled back or failed, what waits for an approver, broken glass, and what an event says to page someone for:
 * quiet hours do not hold it back.
 */
export function isUrgent(event: Pick<EventRecord, 'type' | 'data'>): boolean {
  if (event.data?.page === true && Object.hasOwn(TOLD, event.type)) return true
  return Object.hasOwn(TOLD, event.type) && TOLD[event.type]?.urgent === true
}
