import { certificateEvent } from '../model/certificate-event.ts'
import type { CertificateDocument } from '../model/documents.ts'
import type { Actor } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import type { Rotation, RotationPhase } from '../model/rotation.ts'
import { deliverWork } from './certificate-work.ts'
import type { VaultEffect } from './observations.ts'

/** A certificate on its way through one decision. */
export interface Step {
  readonly document: CertificateDocument
  /** What must follow its write. */
  readonly entries: readonly OutboxEntry[]
  /** Asked of the vault after the write; at most one. */
  readonly effect?: VaultEffect
  /** Epoch milliseconds: when the live rotation is to be looked at again. */
  readonly lookAt?: number
}

/** An asked vault is not asked again before this, though no answer came: it may still be doing it. */
export const LEASE_MS = 60_000
const MOST_HISTORY = 20

/** Changes the live rotation within its phase, or takes it to another. */
export function withRotation(step: Step, change: Partial<Rotation>, now: number): Step {
  const { rotation } = step.document
  if (!rotation) return step
  const moved = change.phase !== undefined && change.phase !== rotation.phase
  const { askedUntil: _askedUntil, ...stays } = rotation
  const next: Rotation = {
    ...(moved ? stays : rotation),
    ...(moved ? { attempts: 0, phaseSince: timestamp(now) } : {}),
    ...change,
  }
  return { ...step, document: { ...step.document, rotation: next } }
}

/** Asks the vault for something once this is written; nobody asks again before the lease is over. */
export function ask(step: Step, effect: VaultEffect, now: number): Step {
  const until = now + LEASE_MS
  return { ...withRotation(step, { askedUntil: timestamp(until) }, now), effect, lookAt: until }
}

export function enter(step: Step, phase: RotationPhase, reason: string, message: string, now: number): Step {
  return withRotation(step, { phase, reason, message }, now)
}

/** Adds an event that belongs to the live rotation, or to the one that just ended. */
export function tell(
  step: Step,
  type: string,
  event: {
    readonly unique: string
    readonly reason: string
    readonly message: string
    readonly data?: Record<string, unknown>
  },
  now: number,
  actor?: Actor,
): Step {
  const { name, rotation } = step.document
  const { unique, reason, message, data } = event
  const by = actor ?? rotation?.actor ?? { kind: 'meshwright', id: 'meshwright', name: 'Meshwright' }
  const all = { ...(rotation ? { rotation: rotation.id } : {}), ...data }
  const entry = certificateEvent(name, type, {
    id: unique,
    time: timestamp(now),
    actor: by,
    reason,
    message,
    data: all,
  })
  return { ...step, entries: [...step.entries, entry] }
}

/** Gives clusters a version as their target, each with a revision of its own. */
export function aim(
  step: Step,
  clusters: readonly string[],
  version: { readonly version: string; readonly serial: string },
): Step {
  const { document } = step
  const targets = { ...document.targets }
  let { revision } = document
  const changed = clusters.filter((cluster) => targets[cluster]?.version !== version.version)
  for (const cluster of changed) {
    revision += 1
    targets[cluster] = { version: version.version, serial: version.serial, revision }
  }
  const work = deliverWork(document.name, changed, targets, revision)
  return { ...step, document: { ...document, targets, revision }, entries: [...step.entries, ...work] }
}

/** Ends the live rotation. */
export function end(step: Step, phase: 'succeeded' | 'failed', reason: string, message: string, now: number): Step {
  const moved = enter(step, phase, reason, message, now)
  const { rotation, history } = moved.document
  if (!rotation) return moved
  const { chain: _chain, csr, ...rest } = rotation
  // What a failed one may have left pending in the vault is known by its CSR; of the others documents need not grow.
  const left = phase === 'failed' && csr !== undefined ? { csr } : {}
  const ended: Rotation = { ...rest, ...left, endedAt: timestamp(now) }
  const document = { ...moved.document, rotation: ended, history: [ended, ...history].slice(0, MOST_HISTORY) }
  const { lookAt: _lookAt, ...without } = moved
  return { ...without, document }
}

/** Ends the live rotation without success. What is current stays; what clusters were given stays with them. */
export function giveUp(step: Step, reason: string, message: string, now: number): Step {
  const failed = end(step, 'failed', reason, message, now)
  const { rotation } = failed.document
  const kept = failed.document.current
    ? `Serial ${failed.document.current.serial} stays current.`
    : 'There is no current version.'
  const data = { serial: rotation?.candidate?.serial ?? null, version: rotation?.candidate?.version ?? null }
  return tell(
    failed,
    'certificate.rotation-failed',
    { unique: rotation?.id ?? '', reason, message: `${message} ${kept}`, data },
    now,
  )
}
