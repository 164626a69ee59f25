import type { CertificateVersion } from '../model/certificate.ts'
import { shortId } from '../model/digest.ts'
import type { CertificateDocument } from '../model/documents.ts'
import type { Actor } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { Rotation } from '../model/rotation.ts'
import { policyDigest } from './issue-policy.ts'
import { type Step, tell } from './step.ts'

/** Made by someone, or something, that wrote to the vault itself: who it was, only the vault's own log tells. */
export const ANOTHER_HAND: Actor = { kind: 'meshwright', id: 'key-vault', name: 'another hand in Key Vault' }

export interface RotationStart {
  readonly actor: Actor
  /** CamelCase: `Asked`, `Due`, `HostsChanged`, `NewVersion`… */
  readonly reason: string
  readonly message: string
  /** What makes the rotation's id, besides the rotation before it: the same happening has the same. */
  readonly unique: readonly unknown[]
  /** A version that is there already. */
  readonly candidate?: CertificateVersion
}

/** A new live rotation in place of the one that ended last. Whoever calls sees to it that none is live. */
export function startRotation(step: Step, start: RotationStart, now: number): Step {
  const { document } = step
  const { actor, reason, message, candidate } = start
  const rotation: Rotation = {
    id: `${document.name}.${shortId(10, document.name, document.createdAt, document.history[0]?.id, ...start.unique)}`,
    phase: candidate ? 'checking' : 'requested',
    reason,
    message,
    actor,
    policy: policyDigest(document.spec),
    ...(candidate ? { candidate } : {}),
    released: [],
    startedAt: timestamp(now),
    phaseSince: timestamp(now),
    attempts: 0,
  }
  const started: Step = { ...step, document: { ...document, rotation }, lookAt: now }
  return tell(started, 'certificate.rotation-started', { unique: rotation.id, reason, message }, now)
}

/** Ended rotations since the last that succeeded, of the present spec, that say it is no use to try again at once. */
export function failuresInARow(document: CertificateDocument): readonly Rotation[] {
  const succeeded = document.history.findIndex(({ phase }) => phase === 'succeeded')
  const since = succeeded === -1 ? document.history : document.history.slice(0, succeeded)
  const policy = policyDigest(document.spec)
  return since.filter((rotation) => rotation.policy === policy && !NO_FAULT.includes(rotation.reason))
}

const NO_FAULT = ['Superseded', 'SpecChanged', 'NothingNew', 'DueAgain']
