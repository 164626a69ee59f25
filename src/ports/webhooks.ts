/** A question to another system. */
export interface WebhookRequest {
  /** The same at every call about the same thing, so that the receiver can tell calls that come twice. Holds no dot. */
  readonly id: string
  readonly url: string
  /** Name of the secret in Meshwright's own vault that signs the call. */
  readonly secret: string
  readonly body: Readonly<Record<string, unknown>>
  /** How long the whole call may take, its answer included. */
  readonly deadlineMs: number
}

/** What a call came to. */
export interface WebhookAnswer {
  /** `waiting`: ask again later. `failed`: no answer that says anything; another call may do better. */
  readonly outcome: 'passed' | 'refused' | 'waiting' | 'failed'
  /** In words of at most 400 characters, without anything secret and without control characters. */
  readonly detail: string
  /** How long the other side asks us to stay away. */
  readonly retryAfterMs?: number
}

/** Calls other systems, signed. Trouble of the other side, of its address or of the secret is an answer, never a throw. */
export interface Webhooks {
  call(request: WebhookRequest): Promise<WebhookAnswer>
}
