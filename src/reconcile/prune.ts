import { bearsMarks } from '../mesh/marks.ts'
import type { Provider } from '../mesh/provider.ts'
import { type KubeObject, type KubeRef, refOf } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { refKey } from './content.ts'
import { SETTLE_MS } from './deps.ts'
import type { Stop } from './situation.ts'

/** An object to remove if it still is the one with this uid. */
export interface Doomed extends KubeRef {
  readonly uid: string
  /** In our inventory: then its marks must say so too. Else another's, which the service takes over (`adopt`). */
  readonly ours: boolean
}

export interface Removal {
  /** Not there any more, or not what it was: out of the inventory. */
  readonly gone: readonly KubeRef[]
  /** Was anything really removed? Then what it referred to must wait. */
  readonly removed: boolean
  /** Out of the inventory with our marks on it, for the right to take them off is missing. */
  readonly marked?: readonly KubeRef[]
  readonly stop?: Stop
}

/**
 * Removes the objects that come first in the provider's order; those that they refer to stay for the settle time (the
 * stop says until when). An object that another hand recreated or marked otherwise is let go, not removed. Throws PortError.
 */
export async function removeFirst(
  api: ClusterApi,
  scene: { readonly service: string; readonly provider: Pick<Provider, 'pruneOrder'>; readonly now: number },
  doomed: readonly Doomed[],
  times: { readonly removedAt: string | undefined; readonly settleMs: number | undefined },
  forbidden: (live: KubeObject) => Stop | undefined,
): Promise<Removal> {
  const { now, provider } = scene
  const settleMs = times.settleMs ?? SETTLE_MS
  const until = times.removedAt === undefined ? 0 : Date.parse(times.removedAt) + settleMs
  if (until > now) return { gone: [], removed: false, stop: settling(until) }
  const first = firstKind(provider, doomed)
  const gone: KubeRef[] = []
  let removed = false
  for (const target of first) {
    const live = await api.get(target)
    if (live && live.metadata.uid === target.uid && bearsMarks(live.metadata, scene.service) === target.ours) {
      const stop = forbidden(live)
      if (stop) return { gone, removed, stop }
      // Wanted again meanwhile, it bears a newer revision: then this must not go through.
      await api.remove(refOf(live), target.uid, live.metadata.resourceVersion)
      removed = true
    }
    gone.push(target)
  }
  return { gone, removed, ...(first.length < doomed.length ? { stop: settling(now + (removed ? settleMs : 0)) } : {}) }
}

function firstKind(provider: Pick<Provider, 'pruneOrder'>, doomed: readonly Doomed[]): readonly Doomed[] {
  const order = provider.pruneOrder(doomed)
  const keys = new Set(order.filter((ref) => ref.kind === order[0]?.kind).map(refKey))
  return doomed.filter((ref) => keys.has(refKey(ref)))
}

function settling(again: number): Stop {
  return { reason: 'Settling', message: 'Proxies are given time to take the removal of a route.', again }
}
