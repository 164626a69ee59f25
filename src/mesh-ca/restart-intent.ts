import { type CaPhase, type CaRotation, isCaRotationOver } from '../model/ca-rotation.ts'
import { canonicalJson } from '../model/digest.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import type { MeshCaSpec } from '../model/mesh-ca.ts'
import { durationMs, timestamp } from '../model/names.ts'
import { describeProgress, type RestartIntent } from '../model/restarts.ts'
import { lookWithin } from '../model/waiting.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { windowState } from '../ports/window-state.ts'
import { AZURE_UNKNOWN } from './azure-hold.ts'
import { trustWork } from './ca-work.ts'
import { settledAt } from './gates.ts'
import { linkerdRestart } from './linkerd-restart.ts'
import type { CaHold, Observations } from './observations.ts'
import { othersOf } from './other-proxies.ts'
import { type CaStep, withRotation } from './step.ts'
import { waitsForPods } from './waits-for-pods.ts'

const WAITS_FOR_RENEWAL: readonly CaPhase[] = ['trusting', 'renewing']
/** So soon the intent is seen to be one no longer, when a window closes; reconcile looks before every write besides. */
const RECHECK_MS = 300_000

/**
 * The decision with what is to be restarted for it: the live rotation waits for proxies, is not held, and restarts are wanted;
 * else nothing is. What was seen of them is shown beside it. Pure.
 */
export function withRestarts(step: CaStep, seen: Observations): CaStep {
  const { rotation } = step.document
  if (!rotation || isCaRotationOver(rotation)) return without(step)
  const wanted = restartWanted(step.document, seen)
  if (!wanted || !mayRestart(step.document, seen)) return without(step)
  const { now } = seen
  const from = Date.parse(wanted.olderThan)
  // Pods that start in the last of these milliseconds are as old as the moment still.
  if (now <= from) return lookWithin(without(step), from + 1 - now, now)
  const shut = windowState(step.document.spec.restarts?.windows, now)
  if (!shut.open) return lookWithin(without(step), Math.max(0, (shut.opensAt ?? now + RECHECK_MS) - now), now)
  return lookWithin(progressed(asked(step, rotation, wanted, now), seen), RECHECK_MS, now)
}

/** What the phase that a rotation is in waits for; undefined where it waits for no Pods. It agrees with the gates. */
export function restartWanted({ rotation, spec }: MeshCaDocument, { trust }: Observations): RestartIntent | undefined {
  if (!rotation) return undefined
  if (spec.purpose === 'linkerd-identity') return linkerdRestart(rotation, spec, trust)
  // Restarts that open no gate are not made.
  if ((othersOf(trust) ?? 'none') !== 'none') return undefined
  return WAITS_FOR_RENEWAL.includes(rotation.phase) ? renewal(rotation, spec) : undefined
}

function renewal(rotation: CaRotation, { workloadTtl }: Pick<MeshCaSpec, 'workloadTtl'>): RestartIntent | undefined {
  if (rotation.takenAt === undefined) return undefined
  return { olderThan: timestamp(settledAt(rotation, durationMs(workloadTtl))) }
}

/** What holds the next write alone. */
function isOfWrites({ kind, reason }: CaHold): boolean {
  return kind === 'turn' || kind === 'shared' || reason === AZURE_UNKNOWN
}

/**
 * Whatever holds a phase from beginning to write holds restarts too, however near the end of what is trusted; and so does a
 * cluster that cannot be looked at: nobody would see what restarts do there.
 */
export function mayRestart({ rotation, spec }: MeshCaDocument, { vault, trust, holds, window }: Observations): boolean {
  if (!rotation || !spec.restarts || rotation.paused || isTrouble(vault) || !window.open) return false
  if (trust?.state !== 'seen') return false
  return waitsForPods(rotation.reason) && holds.every(isOfWrites)
}

function asked(
  step: CaStep,
  { id, direction, phase, restarting }: CaRotation,
  wanted: RestartIntent,
  now: number,
): CaStep {
  if (canonicalJson(restarting ?? null) === canonicalJson(wanted)) return step
  const work = trustWork(step.document.name, `restart.${id}.${direction}.${phase}.${timestamp(now)}`)
  const next = withRotation(step, { restarting: wanted })
  return { ...next, entries: [...next.entries, work] }
}

function progressed(step: CaStep, { trust }: Observations): CaStep {
  const { rotation } = step.document
  if (!rotation || !trust?.restarts) return step
  const { intent, told: _told, refused: _refused, ...restarts } = trust.restarts
  if (canonicalJson(intent) !== canonicalJson(rotation.restarting ?? null)) return withoutProgress(step)
  const reason = restarts.stuck === undefined ? rotation.reason : 'RestartStuck'
  return withRotation(step, { restarts, reason, message: `${rotation.message} ${describeProgress(restarts)}` })
}

function withoutProgress(step: CaStep): CaStep {
  const { rotation } = step.document
  if (!rotation?.restarts) return step
  const { restarts: _restarts, ...rest } = rotation
  return { ...step, document: { ...step.document, rotation: rest } }
}

function without(step: CaStep): CaStep {
  const cleared = withoutProgress(step)
  const { rotation } = cleared.document
  if (!rotation?.restarting) return cleared
  const { restarting: _restarting, ...rest } = rotation
  return { ...cleared, document: { ...cleared.document, rotation: rest } }
}
