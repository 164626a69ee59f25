import { canonicalJson } from '../model/digest.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { countWaiting, describeProgress } from '../model/restarts.ts'
import { windowState } from '../ports/window-state.ts'
import type { Observations } from './observations.ts'
import { mayRestart, restartWanted } from './restart-intent.ts'
import { waitsForPods } from './waits-for-pods.ts'

/** Whose matter it is that Pods are to be restarted. */
export interface LeftTo {
  /** Meshwright makes these restarts, so nobody else need be called. */
  readonly isOurs: boolean
  /** Why it makes none, for people; empty text: it makes none anyway. */
  readonly because: string
  /** How far it came, for people. */
  readonly progress?: string
}

const OURS: LeftTo = { isOurs: true, because: '' }
const THEIRS: LeftTo = { isOurs: false, because: '' }

/**
 * Who restarts what waits for `reason` of a gate? Meshwright only as long as it does something about it: some are under way, or may
 * be begun now or once a window opens. A rotation that waits for anything else would wait for ever unseen. Nothing is restarted
 * while `switching`. Pure.
 */
export function leftToRestarts(document: MeshCaDocument, reason: string, seen: Observations): LeftTo {
  const { rotation, spec } = document
  if (!spec.restarts || !waitsForPods(reason) || !rotation || rotation.phase === 'switching') return THEIRS
  const found = seen.trust?.restarts
  if (found && found.underWay.length > 0) return OURS
  const asked = { ...document, rotation: { ...rotation, reason } }
  if (!mayRestart(asked, { ...seen, window: { open: true } })) return { ...THEIRS, because: heldWords(seen) }
  const wanted = restartWanted(document, seen)
  if (!wanted) return THEIRS
  const isOf = (intent: unknown) => canonicalJson(intent ?? null) === canonicalJson(wanted)
  const progress = found && isOf(found.intent) ? found : undefined
  if (progress?.left === 0) return { ...THEIRS, progress: describeProgress(progress) }
  const shut = [seen.window, windowState(spec.restarts.windows, seen.now)].find(({ open }) => !open)
  if (shut) return shut.opensAt === undefined ? { ...THEIRS, because: NO_WINDOW } : OURS
  // It is asked for now, or was and nobody answered yet.
  if (!progress || !isOf(rotation.restarting)) return OURS
  if (!progress.held && progress.left > countWaiting(progress)) return OURS
  return { ...THEIRS, progress: describeProgress(progress) }
}

const NO_WINDOW = 'Meshwright restarts none: no window opens any more.'

function heldWords({ holds }: Observations): string {
  const [hold] = holds.filter(({ kind }) => kind === 'closed' || kind === 'cluster' || kind === 'freeze')
  return hold ? `Meshwright restarts none now: ${hold.message}` : ''
}
