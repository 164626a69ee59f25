import type { EventRecord } from './event.ts'

/** One channel that a notification has to reach. */
export interface NotificationSend {
  /** `teams/shop`, `slack/shop`: channel kind and team. Unique within a notification. */
  readonly channel: string
  readonly state: 'waiting' | 'sent' | 'given-up'
  readonly attempts: number
  /** RFC 3339: not before (quiet hours, throttling, backoff). */
  readonly notBefore?: string
  /** Why the last try failed; no secret. */
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

/** Types of events that people are told of, when a channel wants them. */
export const NOTIFIED = [
  'rollout.started',
  'rollout.awaiting-approval',
  'rollout.rolling-back',
  'rollout.rolled-back',
  'rollout.aborted',
  'rollout.paused',
  'rollout.blind',
  'rollout.failed',
  'rollout.succeeded',
  'certificate.near-expiry',
  'certificate.awaiting-issuer',
  'certificate.rotated',
  'certificate.rotation-failed',
] as const

export function isNotified(type: string): boolean {
  return (NOTIFIED as readonly string[]).includes(type)
}
