import type { CaPhase, CaRotation } from '../model/ca-rotation.ts'
import { certificateEvent } from '../model/certificate-event.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { type Actor, MESHWRIGHT } from '../model/identity.ts'
import type { CaSet } from '../model/mesh-ca.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import { trustWork } from './ca-work.ts'
import type { CaEffect, Observations } from './observations.ts'

/** A mesh CA on its way through one decision. */
export interface CaStep {
  readonly document: MeshCaDocument
  /** What must follow its write. */
  readonly entries: readonly OutboxEntry[]
  /** Asked of the vault after the write; at most one. */
  readonly effect?: CaEffect
  /** Epoch milliseconds: when it is to be looked at again. */
  readonly lookAt?: number
}

/** An asked vault is not asked again before this, though no answer came: it may still be doing it. */
export const LEASE_MS = 120_000
/**
 * The same of a write, and of putting back: shorter, for a process that dies in between leaves the vault torn for as long. It
 * cannot be less: 30 s to make a key, have it signed and begin to write, 15 s in which the former values may be put back, 30 s
 * until the last request has come through or never will (see ask-vault.ts). Two writers would tear it by themselves.
 */
export const WRITE_LEASE_MS = 75_000
const MOST_HISTORY = 20

/** Changes the live rotation within its phase. */
export function withRotation(step: CaStep, change: Partial<CaRotation>): CaStep {
  const { rotation } = step.document
  return rotation ? { ...step, document: { ...step.document, rotation: { ...rotation, ...change } } } : step
}

/** Takes the live rotation to another phase: what belongs to the one before is let go. */
export function enter(step: CaStep, phase: CaPhase, reason: string, message: string, now: number): CaStep {
  const { rotation } = step.document
  if (!rotation) return step
  const { askedUntil: _asked, writtenAt, takenAt, toldOf: _told, ...before } = rotation
  const { restarting: _restarting, restarts: _restarts, ...stays } = before
  const waits = phase === 'trusting' || phase === 'renewing'
  const seen = {
    ...(waits && writtenAt !== undefined ? { writtenAt } : {}),
    ...(waits && takenAt !== undefined ? { takenAt } : {}),
  }
  const next: CaRotation = { ...stays, ...seen, phase, reason, message, attempts: 0, phaseSince: timestamp(now) }
  const moved: CaStep = { ...step, document: { ...step.document, rotation: next } }
  const data = { what: next.what, phase, direction: next.direction, from: rotation.phase }
  const unique = `${next.id}.${next.direction}.${phase}`
  return tell(moved, 'certificate.phase', { unique, reason, message, data }, now)
}

/** What is kept of the moment in which a rotation first writes. */
export function begins({ now, trust }: Observations): Pick<CaRotation, 'begunAt' | 'failuresBefore'> {
  const failures = trust?.failures?.now
  return { begunAt: timestamp(now), ...(failures === undefined ? {} : { failuresBefore: failures }) }
}

/** Asks the vault for something once this is written; nobody asks again before the lease is over. */
export function ask(step: CaStep, effect: CaEffect, reason: string, message: string, now: number): CaStep {
  const isWrite = effect.kind === 'write' || effect.kind === 'put-back'
  const until = now + (isWrite ? WRITE_LEASE_MS : LEASE_MS)
  return { ...withRotation(step, { reason, message, askedUntil: timestamp(until) }), effect, lookAt: until }
}

/** Adds an event that belongs to the live rotation, or to the one that just ended. */
export function tell(
  step: CaStep,
  type: string,
  event: {
    readonly unique: string
    readonly reason: string
    readonly message: string
    readonly data?: Record<string, unknown>
  },
  now: number,
  actor?: Actor,
): CaStep {
  const { name, rotation, spec } = step.document
  const { unique, reason, message, data } = event
  const all = { ...(rotation ? { rotation: rotation.id } : {}), cluster: spec.cluster, ...data }
  const by = actor ?? rotation?.actor ?? MESHWRIGHT
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

/** Says that freezes, windows or turns did not hold a phase; asked again within the phase, it is the same event. */
export function tellPassed(
  step: CaStep,
  passed: readonly { readonly reason: string }[],
  message: string,
  now: number,
): CaStep {
  const { id, direction, phase } = step.document.rotation ?? {}
  const data = { phase, direction, passed: [...new Set(passed.map(({ reason }) => reason))] }
  const unique = `${id}.${direction}.${phase}`
  return tell(step, 'certificate.freeze-passed', { unique, reason: 'EndsSoon', message, data }, now)
}

/** What the vault holds becomes what is current; people are warned anew of what is new in it. */
export function adopt(step: CaStep, set: CaSet): CaStep {
  const { current, warned } = step.document
  const sameSigner = current?.signer.fingerprint === set.signer.fingerprint
  const sameRoots =
    current?.roots.map(({ fingerprint }) => fingerprint).join() === set.roots.map((one) => one.fingerprint).join()
  const kept = { root: sameRoots ? warned.root : [], signer: sameSigner ? warned.signer : [] }
  const { anchors: _anchors, ...before } = step.document
  const document = { ...before, current: set, warned: kept }
  if (document.spec.purpose !== 'linkerd-identity') return { ...step, document }
  const next = raised(document)
  return { ...step, document: next, entries: [...step.entries, trustWork(next.name, `revision.${next.revision}`)] }
}

/** Of Linkerd: what is wanted of the cluster has changed. */
export function raised(document: MeshCaDocument): MeshCaDocument {
  return { ...document, revision: (document.revision ?? 0) + 1 }
}

/** Ends the live rotation. */
export function end(
  step: CaStep,
  phase: 'succeeded' | 'aborted' | 'failed',
  reason: string,
  message: string,
  now: number,
): CaStep {
  const { rotation, history } = step.document
  if (!rotation) return step
  const { chain: _chain, csr: _csr, askedUntil: _asked, paused: _paused, toldOf: _told, ...rest } = rotation
  const at = timestamp(now)
  const ended: CaRotation = { ...rest, phase, reason, message, phaseSince: at, endedAt: at }
  // What lies whole in the history of old ones would only make the document grow.
  const brief = history.map(({ from: _from, written: _written, ...old }) => old)
  const document = { ...step.document, rotation: ended, history: [ended, ...brief].slice(0, MOST_HISTORY) }
  const { lookAt: _lookAt, ...without } = step
  const data = { what: ended.what, serial: ended.written?.signer.serial ?? null }
  const type = { succeeded: 'rotated', aborted: 'rotation-aborted', failed: 'rotation-failed' }[phase]
  return tell({ ...without, document }, `certificate.${type}`, { unique: ended.id, reason, message, data }, now)
}
