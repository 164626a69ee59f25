import type { CaRotation } from '../model/ca-rotation.ts'
import { shortId } from '../model/digest.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { Actor } from '../model/identity.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import { timestamp } from '../model/names.ts'
import { type CaStep, tell } from './step.ts'

export interface CaRotationStart {
  readonly what: CaRotation['what']
  readonly actor: Actor
  /** CamelCase: `Asked`, `Due`, `First`. */
  readonly reason: string
  readonly message: string
  /** What makes the rotation's id, besides the rotation before it: the same happening has the same. */
  readonly unique: readonly unknown[]
  /** What it starts from; what is current when left out. */
  readonly from?: CaSet
}

/** A new live rotation in place of the one that ended last, from what is current. Whoever calls sees to it that none is live. */
export function startCaRotation(step: CaStep, start: CaRotationStart, now: number): CaStep {
  const { document } = step
  const { what, actor, reason, message } = start
  const from = start.from ?? document.current
  const rotation: CaRotation = {
    id: `${document.name}.${shortId(10, document.name, document.createdAt, document.history[0]?.id, ...start.unique)}`,
    what,
    phase: 'requested',
    direction: 'on',
    reason,
    message,
    actor,
    ...(from ? { from } : {}),
    startedAt: timestamp(now),
    phaseSince: timestamp(now),
    attempts: 0,
  }
  const started: CaStep = { ...step, document: { ...document, rotation }, lookAt: now }
  return tell(started, 'certificate.rotation-started', { unique: rotation.id, reason, message, data: { what } }, now)
}

/** Ended rotations since the last that succeeded. */
export function endedBadly(document: MeshCaDocument): readonly CaRotation[] {
  const succeeded = document.history.findIndex(({ phase }) => phase === 'succeeded')
  return succeeded === -1 ? document.history : document.history.slice(0, succeeded)
}
