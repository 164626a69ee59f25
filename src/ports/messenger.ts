/** A message as a channel takes it. */
export type OutgoingMessage =
  /** To a Teams Workflows webhook: the whole envelope with its Adaptive Card. `url` is a secret. */
  | { readonly kind: 'teams'; readonly url: string; readonly body: unknown }
  /** `chat.postMessage` with the bot's token. */
  | { readonly kind: 'slack'; readonly channel: string; readonly text: string; readonly blocks: readonly unknown[] }
  /** To a Slack response_url. */
  | { readonly kind: 'slack-response'; readonly url: string; readonly body: unknown }

/** Sends messages to people. Throws PortError; `throttled` carries `retryAfterMs`. The text of errors holds no address. */
export interface Messenger {
  send(message: OutgoingMessage): Promise<void>
}
