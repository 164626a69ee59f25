import { bearsMarks } from '../mesh/marks.ts'
import type { Provider } from '../mesh/provider.ts'
import { type KubeObject, type KubeRef, refOf } from '../model/kube.ts'
import { type InventoryEntry, type PlacementState, type SideRoute, sideRoutesBeyond } from '../model/placement.ts'
import { addedFields, changesTo, contentHash, refKey } from './content.ts'
import { otherHands } from './owners.ts'

/** An object of ours that another hand changed since we wrote it. */
export interface Drift {
  readonly ref: KubeRef
  /** `weights`: what goes to a version by weight or by a side route, whatever else. */
  readonly kind: 'removed' | 'changed' | 'weights'
  /** Field managers that own a part of it now; empty when they cannot be told. */
  readonly hands: readonly string[]
  readonly fields: readonly string[]
}

/** Restores within this time count. */
export const RESTORE_WINDOW_MS = 600_000
export const RESTORES_AT_MOST = 3

/** The inventory's entry for an object. */
export function entryFor(objects: readonly InventoryEntry[] | undefined, ref: KubeRef): InventoryEntry | undefined {
  return objects?.find((entry) => refKey(entry) === refKey(ref))
}

/**
 * How a live object departs from what we wrote; undefined when it does not, or when the difference is our own (an apply
 * whose answer was lost). Needs no copy of what we wrote: uid, generation and field managers tell.
 */
export function findDrift(
  live: KubeObject | undefined,
  desired: KubeObject,
  placement: Pick<PlacementState, 'service' | 'objects' | 'weights' | 'sideRoutes'> | undefined,
  provider: Pick<Provider, 'liveWeights' | 'liveSideRoutes'>,
): Drift | undefined {
  if (!placement) return undefined
  const ref = refOf(desired)
  const entry = entryFor(placement.objects, ref)
  if (!live) return entry && { ref, kind: 'removed', hands: [], fields: [] }
  if (!entry && !bearsMarks(live.metadata, placement.service)) return undefined
  const fields = changesTo(live, desired).map((change) => change.path)
  if (fields.length === 0) return undefined
  const hands = otherHands(live)
  const touched = live.metadata.uid !== entry?.uid || live.metadata.generation !== entry?.generation
  if (touched && hands.length > 0) {
    return { ref, kind: movesTraffic(live, desired, placement, provider) ? 'weights' : 'changed', hands, fields }
  }
  const marks = fields.filter((path) => path.startsWith('metadata'))
  const unchanged = entry?.hash === contentHash(desired)
  return unchanged && marks.length > 0 ? { ref, kind: 'changed', hands, fields: marks } : undefined
}

/** Does it send requests elsewhere than was written? Weights and side routes may be on objects of their own. */
function movesTraffic(
  live: KubeObject,
  desired: KubeObject,
  placement: Pick<PlacementState, 'weights' | 'sideRoutes'>,
  provider: Pick<Provider, 'liveWeights' | 'liveSideRoutes'>,
): boolean {
  if (provider.liveWeights(desired) && !sameShares(provider.liveWeights(live), placement.weights)) return true
  const sides = provider.liveSideRoutes(live)
  if (sides.length === 0 && provider.liveSideRoutes(desired).length === 0) return false
  return !isAmong(sides, placement.sideRoutes ?? [])
}

/** Restores that still count at `now`. */
export function recentRestores(placement: Pick<PlacementState, 'restores'> | undefined, now: number): string[] {
  return (placement?.restores ?? []).filter((at) => Date.parse(at) > now - RESTORE_WINDOW_MS)
}

/** What others added to objects of ours, beside our fields; undefined when nothing. */
export function describeAdditions(
  pairs: readonly { readonly live: KubeObject; readonly desired: KubeObject }[],
): string | undefined {
  const parts = pairs.flatMap(({ live, desired }) => {
    const fields = addedFields(live, desired)
    return fields.length === 0 ? [] : [`${desired.kind} ${fields.join(', ')}`]
  })
  return parts.length === 0 ? undefined : `Others added fields that Meshwright does not set: ${parts.join('; ')}.`
}

/** Are these side routes the written ones, each kind for each version? Of several routes each has its own forms of them. */
function isAmong(live: readonly SideRoute[], written: readonly SideRoute[]): boolean {
  const has = ({ kind, version }: SideRoute) => live.some((route) => route.kind === kind && route.version === version)
  return sideRoutesBeyond(live, written).length === 0 && written.every(has)
}

function sameShares(
  live: Readonly<Record<string, number>> | undefined,
  written: Readonly<Record<string, number>>,
): boolean {
  if (!live) return false
  const names = new Set([...Object.keys(live), ...Object.keys(written)])
  return [...names].every((name) => (live[name] ?? 0) === (written[name] ?? 0))
}
