import type { Origin } from './audit.ts'
import type { Caller } from './identity.ts'

/** What a write knows of its request besides the body. */
export interface RequestContext {
  readonly caller: Caller
  /** From where it came; REST when left out. */
  readonly origin?: Origin
  /** Names the request in the audit trail. */
  readonly requestId?: string
  /** Entity tags of the header If-Match; `*` asks for existence. */
  readonly ifMatch?: readonly string[]
  /** If-None-Match: `*`: create only. */
  readonly createOnly?: boolean
  /** From the header Idempotency-Key. */
  readonly idempotency?: IdempotencyKey
}

export interface IdempotencyKey {
  /** Hash of caller, route and key. */
  readonly id: string
  /** Hash of the body. */
  readonly body: string
}
