import { isCaRotationOver } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { type Settled, settleStep } from '../model/settle-step.ts'
import { isAsked, keepLease, lookWithin } from '../model/waiting.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { rotateCaWork } from './ca-work.ts'
import { caConditions, generationSeen } from './conditions.ts'
import { decideIdle, warn } from './decide-idle.ts'
import { wordsOf } from './mesh-words.ts'
import type { CaEffect, Observations } from './observations.ts'
import { withRestarts } from './restart-intent.ts'
import { type CaStep, end, LEASE_MS } from './step.ts'
import { takePhase } from './take-phase.ts'
import { mendFirst, notePutBack } from './unfinished.ts'
import { holdForTrouble } from './waiting.ts'
import { changedElsewhere, wantedOf, writtenSet } from './wanted.ts'

export type CaDecision = Settled<MeshCaDocument, CaEffect>

/** More phases than a rotation has are never passed in one decision. */
const MOST_TRANSITIONS = 8
const PAUSED_LOOK_MS = 3_600_000

/**
 * The next state of a mesh CA from what was seen. Pure and total: the same input gives the same decision, every phase has
 * one for every observation, and when nothing is to be done the document is left. At most one thing is asked of the vault,
 * and only together with a write that says so.
 */
export function decideCa(before: MeshCaDocument, seen: Observations): CaDecision {
  let step: CaStep = { document: before, entries: [] }
  for (let moves = 0; moves < MOST_TRANSITIONS; moves += 1) {
    const next = move(step, seen)
    const stays = next.document.rotation?.phase === step.document.rotation?.phase || next.effect !== undefined
    const isNew = next.document.rotation?.id !== step.document.rotation?.id
    step = next
    if (stays || isNew) break
  }
  return settle(before, withRestarts(warn(step, seen.now), seen), seen)
}

function move(looked: CaStep, seen: Observations): CaStep {
  const { vault, now } = seen
  const step = isTrouble(vault) ? looked : notePutBack(looked, vault)
  const { rotation } = step.document
  if (!rotation || isCaRotationOver(rotation)) return decideIdle(step, seen)
  if (isTrouble(vault))
    return rotation.paused ? lookWithin(step, PAUSED_LOOK_MS, now) : holdForTrouble(step, vault, now)
  const changed = changedElsewhere(rotation, vault)
  const mending = mendFirst(step, rotation, vault, { isChanged: changed.length > 0, now })
  if (mending) return mending
  if (changed.length > 0) {
    const message = `Another hand changed ${changed.join(', ')} in the vault while ${rotation.phase}. Nothing is written over it: the rotation stops here, and ${wordsOf(step.document.spec).changed} See what was written and by whom; then rotate again.`
    return end(step, 'failed', 'ChangedElsewhere', message, now)
  }
  if (rotation.paused && !isBeingWritten(step, seen))
    return isAsked(step, now) ? keepLease(step, now) : lookWithin(step, PAUSED_LOOK_MS, now)
  return takePhase(step, seen, vault)
}

/** What was asked before the pause may be there by now: that is taken note of, and nothing else. */
function isBeingWritten({ document: { rotation } }: CaStep, { vault }: Observations): boolean {
  if (!rotation || isTrouble(vault) || rotation.writtenAt !== undefined || rotation.askedUntil === undefined)
    return false
  const wanted = wantedOf(rotation)
  return wanted.ok && writtenSet(rotation, wanted.value, vault) !== undefined
}

/** With what was seen of it, and when it is looked at next. */
function settle(before: MeshCaDocument, step: CaStep, seen: Observations): CaDecision {
  const { now } = seen
  const { current, rotation, place = seen.place } = step.document
  const isPlaced = current !== undefined || rotation?.begunAt !== undefined
  const document: MeshCaDocument = {
    ...step.document,
    ...(isPlaced && place ? { place } : {}),
    observedGeneration: generationSeen(step.document, seen),
    conditions: caConditions(step.document, seen),
  }
  const work = (dueAt: string) => rotateCaWork(document.name, dueAt, dueAt)
  return settleStep(before, { ...step, document }, { now, leaseMs: LEASE_MS, work })
}
