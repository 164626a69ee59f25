import type { Actor } from './identity.ts'

/** From where a request came. */
export interface Origin {
  readonly kind: 'rest' | 'pipeline' | 'teams' | 'slack' | 'alert' | 'key-vault' | 'schedule'
  /** The run's URL, the channel's name, the alert's rule: whatever lets a person find it. */
  readonly ref?: string
}

/** Who asked for what, from where, and what it changed. Kept for 400 days. Holds no secret. */
export interface AuditRecord {
  /** Deterministic: the same request has the same id. */
  readonly id: string
  /** RFC 3339. */
  readonly time: string
  readonly actor: Actor
  /** `service.put`, `rollout.abort`, `certificate.rotate`. */
  readonly action: string
  /** `services/shop/web`, `rollouts/shop.web.k3…`, `clusters/east`. */
  readonly subject: string
  readonly origin: Origin
  /** Of the request: it stands in its answer and in the logs. */
  readonly requestId?: string
  /** The part that users own, before and after; absent where there was or is none. */
  readonly before?: unknown
  readonly after?: unknown
  /** What `before` and `after` do not show, and why. */
  readonly note?: string
}

/** A record with its place in the order of arrival. */
export interface ArrivedAudit extends AuditRecord {
  /** Opaque; `after` of a later read continues behind it. */
  readonly cursor: string
}
