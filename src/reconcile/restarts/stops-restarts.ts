import { freezesOfCluster } from '../../model/active-freezes.ts'
import { canonicalJson } from '../../model/digest.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import type { RestartIntent, RestartProgress } from '../../model/restarts.ts'
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
  const [cluster, freezes] = await Promise.all([store.read('cluster', ca.spec.cluster), store.all('freeze')])
  if (!cluster || cluster.value.deletingAt !== undefined || cluster.value.spec.mode === 'observe') {
    const message = `cluster ${ca.spec.cluster} is only observed, or not registered any more.`
    return { reason: 'ClusterObserved', message }
  }
  const now = clock.now()
  const [freeze] = freezesOfCluster(freezes, cluster.value, 'configuration', now)
  if (freeze) return { reason: 'Frozen', message: `freeze ${freeze.name} holds: ${freeze.spec.reason}.` }
  const { windows, restarts } = ca.spec
  if (windowState(windows, now).open && windowState(restarts?.windows, now).open) return undefined
  return { reason: 'WaitsForWindow', message: 'no window is open.' }
}

function isWanted({ rotation, spec, deletingAt }: MeshCaDocument, intent: RestartIntent): boolean {
  if (!rotation?.restarting || rotation.paused || !spec.restarts || deletingAt !== undefined) return false
  return canonicalJson(rotation.restarting) === canonicalJson(intent)
}
