import type { Origin } from './audit.ts'
import type { Caller } from './identity.ts'

/** Where the answer to a command goes when it is not ready in time. */
export type ReplyTo =
  | { readonly kind: 'none' }
  /** Slack's response_url: five messages within 30 minutes. */
  | { readonly kind: 'slack'; readonly url: string }

/**
 * What a chat message or an alert asked for. It is stored before it is answered, so that no request is lost; its id comes
 * from the message, so that the same message twice is one command.
 */
export interface CommandState {
  /** Hash of channel and message id. */
  readonly name: string
  readonly text: string
  /** Who asked, with the roles and groups that the look-up gave; absent: an unknown person, who may only read. */
  readonly caller?: Caller
  /** How the message names its sender. */
  readonly sender: string
  readonly origin: Origin
  readonly replyTo: ReplyTo
  readonly state: 'waiting' | 'done'
  /** What was answered, as plain text. */
  readonly answer?: string
  readonly attempts: number
}
