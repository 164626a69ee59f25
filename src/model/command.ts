import type { Origin } from './audit.ts'
import type { Caller } from './identity.ts'

/** Where the answer to a command goes when it is not ready in time. */
export type ReplyTo =
  | { readonly kind: 'none' }
  /** Slack's response_url: five messages within 30 minutes. It is taken out of the document once it is not needed. */
  | { readonly kind: 'slack'; readonly url: string }

/** How a chat message names who wrote it: by Entra object id, or by Slack user id. */
export interface Sender {
  readonly kind: 'entra' | 'slack'
  readonly id: string
}

/** What a command answers, in plain text. What changed something is told to the whole channel, else to the asker alone. */
export interface CommandAnswer {
  readonly text: string
  readonly audience: 'channel' | 'asker'
}

/**
 * What a chat message or an alert asked for. It is stored before it is answered, so that no request is lost; its id comes
 * from the message, so that the same message twice is one command.
 */
export interface CommandState {
  /** Hash of channel and message id. */
  readonly name: string
  /** As it was typed, without the mention: `abort shop/web too many errors`. */
  readonly text: string
  /** Who wrote it; looked up when it is carried out. Absent for alerts. */
  readonly from?: Sender
  /** Who asked, as the look-up said when it was done (groups are left out). Absent: an unknown person, who may only read. */
  readonly caller?: Caller
  /** Name of the sender as the message shows it: for people, proves nothing. */
  readonly sender: string
  readonly origin: Origin
  readonly replyTo: ReplyTo
  readonly state: 'waiting' | 'done'
  readonly answer?: CommandAnswer
  /** Done, but the asker has not been told: it came after the first answer. */
  readonly owed?: boolean
  readonly attempts: number
}
