import { revisionOf } from '../mesh/marks.ts'
import { canonicalJson } from '../model/digest.ts'
import type { KubeObject } from '../model/kube.ts'
import { refOf } from '../model/kube.ts'
import { timestamp } from '../model/names.ts'
import { type InventoryEntry, type PlacementState, sameSideRoutes } from '../model/placement.ts'
import { refKey } from './content.ts'
import { entryFor } from './drift.ts'
import type { Pass } from './pass.ts'

type Seen = Pick<Pass, 'situation' | 'plan' | 'written' | 'stop'>

/** What a route sends where. */
export interface Traffic {
  readonly weights: PlacementState['weights']
  readonly sideRoutes: PlacementState['sideRoutes']
}

/** As people read it: `v1 100 %, v2 0 % and what matches`. */
export function trafficWords({ weights, sideRoutes = [] }: Traffic): string {
  const also = (version: string) =>
    sideRoutes.filter((route) => route.version === version).map(({ kind }) => ` and ${SIDE_WORDS[kind]}`)
  return Object.entries(weights)
    .map(([version, weight]) => `${version} ${weight} %${also(version).join('')}`)
    .join(', ')
}
const SIDE_WORDS = { match: 'what matches', affinity: 'who had it before', mirror: 'copies' } as const

/**
 * Weights on the cluster after a pass, whole per cents by version, and the side routes beside them, undefined when there are
 * none; those known before where no route is ours. Where several routes bear weights, the highest of each version.
 */
export function trafficAfter(pass: Seen): Traffic {
  const { provider, placement } = pass.situation
  const bearers = bearersAfter(pass, pass.stop?.condition === 'Conflict')
  const known = bearers.flatMap(({ object }) => (object ? [object] : []))
  const split = known.map((object) => provider.liveWeights(object)).filter((found) => found !== undefined)
  if (split.length === 0) return { weights: placement?.weights ?? {}, sideRoutes: placement?.sideRoutes }
  const weights: Record<string, number> = {}
  for (const [version, weight] of split.flatMap((one) => Object.entries(one))) {
    weights[version] = Math.max(weights[version] ?? 0, weight)
  }
  const lost = bearers.some(({ desired, object }) => !object && provider.liveWeights(desired) === undefined)
  if (lost) return { weights, sideRoutes: placement?.sideRoutes }
  const found = known.flatMap((object) => provider.liveSideRoutes(object))
  const sideRoutes = [...new Map(found.map((route) => [canonicalJson(route), route])).values()]
  return { weights, sideRoutes: sideRoutes.length === 0 ? undefined : sideRoutes }
}

/**
 * Of which render revision the weights and side routes are that the routes bear after a pass, and when proxies will have
 * taken them; for it does not matter what else of that revision is held back. Undefined when they are not those that are
 * wanted, in every route. Takes the inventory after the pass.
 */
export function weightsLiveAfter(
  pass: Seen,
  objects: readonly InventoryEntry[],
  settleMs: number,
): PlacementState['weightsLive'] {
  const { provider, weights: wanted } = pass.situation
  const found = bearersAfter(pass, false).map(({ desired, object }) => {
    const revision = object && revisionOf(object)
    const written = object && entryFor(objects, refOf(object))
    if (!object || revision === undefined || !written) return undefined
    const weights = provider.liveWeights(object) ?? {}
    const names = provider.liveWeights(desired) ? [...Object.keys(wanted), ...Object.keys(weights)] : []
    if (names.some((name) => (weights[name] ?? 0) !== (wanted[name] ?? 0))) return undefined
    if (!sameSideRoutes(provider.liveSideRoutes(object), provider.liveSideRoutes(desired))) return undefined
    return { revision, at: Date.parse(written.changedAt) }
  })
  const taken = found.filter((one) => one !== undefined)
  if (taken.length === 0 || taken.length < found.length) return undefined
  const revision = Math.min(...taken.map((one) => one.revision))
  return { revision, at: timestamp(Math.max(...taken.map(({ at }) => at)) + settleMs) }
}

interface Bearer {
  /** As rendered. */
  readonly desired: KubeObject
  /** As this pass wrote it last, else as it was read, unless another hand changed it; undefined: neither. */
  readonly object: KubeObject | undefined
}

/** The routes with weights or side routes, as they are after a pass. `writtenOnly`: what was read does not count. */
function bearersAfter({ situation, plan, written }: Seen, writtenOnly: boolean): readonly Bearer[] {
  const { provider, rendered, observed } = situation
  return rendered.flatMap(({ object: desired }): readonly Bearer[] => {
    const key = refKey(refOf(desired))
    const sides = [desired, observed.objects.get(key)].some(
      (object) => object && provider.liveSideRoutes(object).length > 0,
    )
    if (provider.liveWeights(desired) === undefined && !sides) return []
    const last = written.map(({ after }) => after).findLast((after) => refKey(refOf(after)) === key)
    const isOther = writtenOnly || plan.drifts.some((drift) => refKey(drift.ref) === key)
    return [{ desired, object: last ?? (isOther ? undefined : observed.objects.get(key)) }]
  })
}
