import type { Actor } from './identity.ts'

/** Something that happened, as CloudEvents 1.0 sees it (`type` without the prefix `io.meshwright.`). */
export interface EventRecord {
  /** Deterministic: the same happening has the same id, so a second delivery is known as one. */
  readonly id: string
  /** For example `rollout.started`, `rollout.step`, `rollout.blind`, `rollout.look`, `placement.conflict`. */
  readonly type: string
  /** RFC 3339: when it happened, not when it arrived. */
  readonly time: string
  /** `services/shop/web`, `clusters/east`, `rollouts/shop.web.k3…`. */
  readonly subject: string
  readonly actor: Actor
  readonly reason: string
  readonly message: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** An event with its place in the order of arrival. */
export interface ArrivedEvent extends EventRecord {
  /** Opaque; `after` of a later read continues behind it. */
  readonly cursor: string
}
