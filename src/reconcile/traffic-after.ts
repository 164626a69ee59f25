import { revisionOf } from '../mesh/marks.ts'
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
 * none; those known before where the route is not ours.
 */
export function trafficAfter(pass: Seen): Traffic {
  const { provider, placement } = pass.situation
  const live = pass.stop?.condition === 'Conflict' ? undefined : untouched(pass)
  const bearer = lastWritten(pass) ?? live
  const weights = bearer && provider.liveWeights(bearer)
  if (!bearer || !weights) return { weights: placement?.weights ?? {}, sideRoutes: placement?.sideRoutes }
  const sideRoutes = provider.liveSideRoutes(bearer)
  return { weights, sideRoutes: sideRoutes.length === 0 ? undefined : sideRoutes }
}

/**
 * Of which render revision the weights and side routes are that the route bears after a pass, and when proxies will have
 * taken them; for it does not matter what else of that revision is held back. Undefined when they are not those that are
 * wanted. Takes the inventory after the pass.
 */
export function weightsLiveAfter(
  pass: Seen,
  objects: readonly InventoryEntry[],
  settleMs: number,
): PlacementState['weightsLive'] {
  const { provider, weights: wanted, rendered } = pass.situation
  const bearer = lastWritten(pass) ?? untouched(pass)
  const revision = bearer && revisionOf(bearer)
  const written = bearer && entryFor(objects, refOf(bearer))
  if (!bearer || revision === undefined || !written) return undefined
  const weights = provider.liveWeights(bearer) ?? {}
  const names = [...Object.keys(wanted), ...Object.keys(weights)]
  if (names.some((name) => (weights[name] ?? 0) !== (wanted[name] ?? 0))) return undefined
  const wantedSides = rendered.flatMap(({ object }) => provider.liveSideRoutes(object))
  if (!sameSideRoutes(provider.liveSideRoutes(bearer), wantedSides)) return undefined
  return { revision, at: timestamp(Date.parse(written.changedAt) + settleMs) }
}

/** The object with weights as this pass wrote it last. */
function lastWritten({ situation, written }: Seen): KubeObject | undefined {
  return written.map(({ after }) => after).findLast((object) => situation.provider.liveWeights(object) !== undefined)
}

/** The object with weights as it was read, unless another hand changed it. */
function untouched({ situation, plan }: Seen): KubeObject | undefined {
  const bearer = situation.rendered.find(({ object }) => situation.provider.liveWeights(object))?.object
  if (!bearer) return undefined
  const key = refKey(refOf(bearer))
  return plan.drifts.some((drift) => refKey(drift.ref) === key) ? undefined : situation.observed.objects.get(key)
}
