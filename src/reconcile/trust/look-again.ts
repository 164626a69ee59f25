import { type CaRotation, isCaRotationOver, leafLifetimeMs, lookWantedAfter } from '../../model/ca-rotation.ts'
import type { MeshCaDocument } from '../../model/documents.ts'

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
/** While a workload is being restarted, and while others wait for their turn. */
const UNDER_WAY_MS = 10_000
const WAITING_MS = 30_000

/**
 * When to look at a cluster next, in milliseconds from `now` (epoch milliseconds): often in the beginning of a phase, then
 * slower, and as soon as a look may take the rotation on.
 */
export function lookAgainMs(
  { rotation, spec }: Pick<MeshCaDocument, 'rotation' | 'spec'>,
  now: number,
  seen?: Parameters<typeof leafLifetimeMs>[1],
): number {
  if (!rotation || isCaRotationOver(rotation)) return spec.purpose === 'linkerd-identity' ? IDLE_LINKERD_MS : IDLE_MS
  const since = Math.max(Date.parse(rotation.phaseSince), Date.parse(rotation.writtenAt ?? rotation.phaseSince))
  const slowMs = LOOKS.find(([upToMs]) => now - since < upToMs)?.[1] ?? LATER_MS
  const everyMs = Math.min(slowMs, restartsMs(rotation))
  const wantedInMs = (lookWantedAfter(rotation, leafLifetimeMs(spec, seen)) ?? 0) + 1 - now
  return wantedInMs > 0 ? Math.min(everyMs, wantedInMs) : everyMs
}

function restartsMs({ restarting, restarts }: CaRotation): number {
  if (!restarting) return Number.POSITIVE_INFINITY
  if (!restarts || restarts.underWay.length > 0) return UNDER_WAY_MS
  return restarts.left > 0 ? WAITING_MS : Number.POSITIVE_INFINITY
}
