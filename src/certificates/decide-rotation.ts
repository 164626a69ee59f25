import type { CertificateDocument } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import { isRotationOver } from '../model/rotation.ts'
import { type Settled, settleStep } from '../model/settle-step.ts'
import { isAsked, isDue, keepLease, lookWithin } from '../model/waiting.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { deliverWork, rotateWork } from './certificate-work.ts'
import { certificateConditions, generationSeen } from './conditions.ts'
import { aimNewClusters, decideIdle, warn } from './decide-idle.ts'
import { makeVersion } from './make-version.ts'
import type { Observations, VaultEffect } from './observations.ts'
import { isDelivered, release } from './release.ts'
import { end, LEASE_MS, type Step } from './step.ts'

export type Decision =
  | Settled<CertificateDocument, VaultEffect>
  /** It was to be deleted, and nothing of it is left on any cluster. */
  | { readonly kind: 'remove' }

/** More phases than a rotation has are never passed in one decision. */
const MOST_TRANSITIONS = 8
const LEAVING_MS = 15_000
const REMIND_MS = 60_000

/**
 * The next state of a certificate from what was seen. Pure and total: the same input gives the same decision, every phase
 * has one for every observation, and when nothing is to be done the document is left. At most one thing is asked of the
 * vault, and only together with a write that says so.
 */
export function decideRotation(before: CertificateDocument, seen: Observations): Decision {
  const { now } = seen
  if (before.deletingAt !== undefined) return decideDeletion(before, seen)
  let step: Step = takeLeft({ document: before, entries: [] }, seen)
  for (let moves = 0; moves < MOST_TRANSITIONS; moves += 1) {
    const next = move(step, seen)
    const stays = next.document.rotation?.phase === step.document.rotation?.phase || next.effect !== undefined
    const isNew = next.document.rotation?.id !== step.document.rotation?.id
    // What was seen says nothing about clusters that are yet to be told.
    const asksClusters = next.document.revision !== step.document.revision
    step = next
    if (stays || isNew || (asksClusters && isLive(next))) break
  }
  step = warn(aimNewClusters(step), now)
  return settle(before, step, seen)
}

function move(step: Step, seen: Observations): Step {
  const { rotation } = step.document
  if (!rotation || !isLive(step)) return decideIdle(step, seen)
  return rotation.phase === 'awaiting-window' || rotation.phase === 'delivering'
    ? release(step, seen)
    : makeVersion(step, seen)
}

function isLive({ document: { rotation } }: Step): boolean {
  return rotation !== undefined && !isRotationOver(rotation)
}

/** A version that is being made for it is ended in the vault; what is in the vault stays there. */
function decideDeletion(before: CertificateDocument, seen: Observations): Decision {
  const { rotation } = before
  let step: Step = takeLeft({ document: before, entries: [] }, seen)
  if (rotation && !isRotationOver(rotation)) {
    const pending = !isTrouble(seen.vault) && seen.vault.operation?.state === 'in-progress'
    const isOurs = rotation.phase === 'creating' || rotation.phase === 'awaiting-issuer'
    // What was asked may be on its way: it is ended when it is there, not forgotten.
    if (rotation.phase === 'creating' && !pending && isAsked(step, seen.now)) {
      return settle(before, keepLease(step, seen.now), seen)
    }
    const ended = end(step, 'failed', 'Deleting', 'The certificate is being removed.', seen.now)
    step = {
      ...ended,
      ...(pending && isOurs ? { effect: { kind: 'drop', rotation: rotation.id } } : { lookAt: seen.now }),
    }
  } else if (step.document.leaving.length === 0) return { kind: 'remove' }
  return settle(before, step, seen)
}

/** Clusters that hold nothing of it any more are let go; one that does, and is not wanted, is to be left. */
function takeLeft(step: Step, seen: Observations): Step {
  const { document } = step
  const { targets, leaving, revision, name, deletingAt } = document
  // Wanted again, it leaves no more.
  const isWanted = (cluster: string) => deletingAt === undefined && targets[cluster] !== undefined
  const still = leaving.filter(
    (cluster) => !isWanted(cluster) && seen.deliveries.some((other) => other.cluster === cluster),
  )
  const strays = seen.deliveries
    .filter((delivery) => delivery.objects.length > 0)
    .map(({ cluster }) => cluster)
    .filter((cluster) => targets[cluster] === undefined && !leaving.includes(cluster))
  if (still.length === leaving.length && strays.length === 0) {
    return leaving.length === 0 ? step : lookWithin(step, LEAVING_MS, seen.now)
  }
  const next = { ...document, leaving: [...still, ...strays].sort(), revision: revision + (strays.length > 0 ? 1 : 0) }
  const entries = [...step.entries, ...deliverWork(name, strays, targets, next.revision)]
  const left: Step = { ...step, document: next, entries }
  return next.leaving.length === 0 ? left : lookWithin(left, LEAVING_MS, seen.now)
}

/**
 * A delivery whose message was lost is asked for again: it is not where it is wanted, or has not left, and nothing will have
 * it looked at.
 */
function remind(before: CertificateDocument, step: Step, seen: Observations): Step {
  const { name, targets, leaving, revision } = step.document
  const forgotten = [...Object.keys(targets), ...leaving].filter((cluster) => {
    const target = targets[cluster]
    const isNews = target ? before.targets[cluster]?.revision !== target.revision : !before.leaving.includes(cluster)
    if (isNews || seen.deliveries.some((one) => one.cluster === cluster && one.dueAt !== undefined)) return false
    return !target || !isDelivered(step.document, cluster, target.version, seen.deliveries)
  })
  if (forgotten.length === 0) return step
  if (!isDue(step, seen.now)) return lookWithin(step, REMIND_MS, seen.now)
  const again = deliverWork(name, forgotten, targets, revision).map((entry) => ({
    ...entry,
    id: `${entry.id}.${timestamp(seen.now)}`,
  }))
  return lookWithin({ ...step, entries: [...step.entries, ...again] }, REMIND_MS, seen.now)
}

/** With what was seen of it, and when it is looked at next. */
function settle(before: CertificateDocument, decided: Step, seen: Observations): Decision {
  const { now } = seen
  const step = remind(before, decided, seen)
  const document: CertificateDocument = {
    ...step.document,
    observedGeneration: generationSeen(step.document, seen),
    conditions: certificateConditions(step.document, seen),
  }
  const work = (dueAt: string) => rotateWork(document.name, dueAt, dueAt)
  return settleStep(before, { ...step, document }, { now, leaseMs: LEASE_MS, work })
}
