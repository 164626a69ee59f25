import { isCaRotationOver, lookWantedAfter } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import { durationMs } from '../../model/names.ts'

const MINUTE_MS = 60_000
const IDLE_MS = 60 * MINUTE_MS
/** What was brought to Linkerd may be changed by another hand. */
const IDLE_LINKERD_MS = 10 * MINUTE_MS
/** How often to look while a rotation is live, by how long its phase lasts: at first istiod may take it any second. */
const LOOKS: readonly (readonly [upToMs: number, everyMs: number])[] = [
  [2 * MINUTE_MS, 3000],
  [15 * MINUTE_MS, 15_000],
  [60 * MINUTE_MS, MINUTE_MS],
]
const LATER_MS = 5 * MINUTE_MS

/**
 * When to look at a cluster next, in milliseconds from `now` (epoch milliseconds): often in the beginning of a phase, then
 * slower, and as soon as a look may take the rotation on.
 */
export function lookAgainMs({ rotation, spec }: Pick<MeshCaDocument, 'rotation' | 'spec'>, now: number): number {
  if (!rotation || isCaRotationOver(rotation)) return spec.purpose === 'linkerd-identity' ? IDLE_LINKERD_MS : IDLE_MS
  const since = Math.max(Date.parse(rotation.phaseSince), Date.parse(rotation.writtenAt ?? rotation.phaseSince))
  const everyMs = LOOKS.find(([upToMs]) => now - since < upToMs)?.[1] ?? LATER_MS
  const wantedInMs = (lookWantedAfter(rotation, durationMs(spec.workloadTtl)) ?? 0) + 1 - now
  return wantedInMs > 0 ? Math.min(everyMs, wantedInMs) : everyMs
}
