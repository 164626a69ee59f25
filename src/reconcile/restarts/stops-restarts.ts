import { freezesOfCluster } from '../../model/active-freezes.ts'
import { clusterChange } from '../../model/cluster-changes.ts'
import { canonicalJson } from '../../model/digest.ts'
import type { ClusterDocument, MeshCaDocument, TrustDocument } from '../../model/documents.ts'
import type { RestartIntent, RestartProgress } from '../../model/restarts.ts'
import { risenFailures } from '../../model/risen-failures.ts'
import { windowState } from '../../ports/window-state.ts'
import type { ReconcileDeps } from '../deps.ts'

/** Why nothing is restarted now. */
export type RestartStop = NonNullable<RestartProgress['held']>

/**
 * What is in the way of a restart at this moment; undefined when nothing is. It is asked before each write: the intent may be
 * withdrawn, the rotation paused, a freeze begun or a window closed since the last. Throws PortError of the store.
 */
export async function stopsRestarts(
  { store, clock }: Pick<ReconcileDeps, 'store' | 'clock'>,
  name: string,
  intent: RestartIntent,
): Promise<RestartStop | undefined> {
  const ca = (await store.read('mesh-ca', name))?.value
  if (!ca || !isWanted(ca, intent)) return { reason: 'NotWanted', message: 'the rotation wants no restarts now.' }
  const [cluster, freezes, trust] = await Promise.all([
    store.read('cluster', ca.spec.cluster),
    store.all('freeze'),
    store.read('trust', name),
  ])
  if (!cluster || cluster.value.deletingAt !== undefined || cluster.value.spec.mode === 'observe') {
    const message = `cluster ${ca.spec.cluster} is only observed, or not registered any more.`
    return { reason: 'ClusterObserved', message }
  }
  const now = clock.now()
  const unsafe = unsafeNow(ca, cluster.value, trust?.value, now)
  if (unsafe) return unsafe
  const [freeze] = freezesOfCluster(freezes, cluster.value, 'configuration', now)
  if (freeze) return { reason: 'Frozen', message: `freeze ${freeze.name} holds: ${freeze.spec.reason}.` }
  const { windows, restarts } = ca.spec
  if (windowState(windows, now).open && windowState(restarts?.windows, now).open) return undefined
  return { reason: 'WaitsForWindow', message: 'no window is open.' }
}

/** A look that is older tells nothing of what restarts do there. */
const STALE_MS = 10 * 60_000

/**
 * Nobody would see what restarts do, or they do harm already, or Azure is at work there. The rotation withdraws its intent for the
 * same reasons; it may not have come to it yet.
 */
function unsafeNow(
  { rotation }: MeshCaDocument,
  { name, aks }: ClusterDocument,
  trust: TrustDocument | undefined,
  now: number,
): RestartStop | undefined {
  if (trust?.state !== 'seen') {
    const { reason = 'WaitsForLook', message = 'nobody looked yet.' } = trust ?? {}
    return { reason, message: `what the cluster trusts cannot be seen: ${message}` }
  }
  if (!(now - Date.parse(trust.lookedAt ?? '') <= STALE_MS))
    return { reason: 'WaitsForLook', message: 'the cluster has not been looked at in the last 10 minutes.' }
  const risen = rotation && risenFailures(trust, rotation)
  if (!risen) return clusterChange(name, aks)
  const message = `connections to Pods of the mesh fail: ${risen.now} in the last window, ${risen.before} before the rotation.`
  return { reason: 'FailuresRisen', message }
}

function isWanted({ rotation, spec, deletingAt }: MeshCaDocument, intent: RestartIntent): boolean {
  if (!rotation?.restarting || rotation.paused || !spec.restarts || deletingAt !== undefined) return false
  return canonicalJson(rotation.restarting) === canonicalJson(intent)
}
