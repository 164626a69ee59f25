/** A message as a channel takes it. */
export type OutgoingMessage =
  /** To a Teams Workflows webhook: the whole envelope with its Adaptive Card. `url` is a secret. */
  | { readonly kind: 'teams'; readonly url: string; readonly body: unknown }
  /** `chat.postMessage` with the bot's token. `notification` names what it tells, so that a double can be told. */
  | {
      readonly kind: 'slack'
      readonly channel: string
      readonly text: string
      readonly blocks: readonly unknown[]
      readonly notification: string
    }
  /** To a Slack response_url. */
  | { readonly kind: 'slack-response'; readonly url: string; readonly body: unknown }

/**
 * Sends messages to people. Throws PortError: `throttled` (with `retryAfterMs`), `denied` (an address that is not called, a
 * token that is not taken), `invalid` (the channel does not take the message; `reason` is its word for it), `unavailable`
 * (it may have arrived). The text of errors holds no address and no token.
 */
export interface Messenger {
  send(message: OutgoingMessage): Promise<void>
}
