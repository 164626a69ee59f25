import { type ProxyPods, proxyPodsOf } from '../../mesh/trust/proxy-pods.ts'
import { liveRolloutOn } from '../../model/desired-weights.ts'
import { canonicalJson } from '../../model/digest.ts'
import type { ClusterDocument, MeshCaDocument, TrustDocument } from '../../model/documents.ts'
import { durationMs } from '../../model/names.ts'
import type { RestartIntent, RestartsState, WorkloadRef } from '../../model/restarts.ts'
import { serviceKey } from '../../model/service.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import type { Store, Stored } from '../../ports/store.ts'
import type { ReconcileDeps } from '../deps.ts'
import { afterAsking, askForRestarts } from './ask-restarts.ts'
import { gatherRestarts } from './gather-restarts.ts'
import { type Pass, passOver } from './pass-over.ts'
import { withRestartsRecorded } from './record-restarts.ts'
import { troubleOf } from './refusals.ts'
import { type Resolved, resolveWorkloads } from './resolve-workloads.ts'
import { type RestartStop, stopsRestarts } from './stops-restarts.ts'

export type RestartDeps = Pick<ReconcileDeps, 'store' | 'clusters' | 'clock'>

interface Scene {
  readonly ca: MeshCaDocument
  readonly trust: Stored<TrustDocument>
  readonly cluster: ClusterDocument
  readonly intent: RestartIntent
  readonly proxies: ProxyPods
}

const ATTEMPTS = 4

/**
 * Restarts what the live rotation of a mesh CA wants restarted, as far as it may now; else only follows what is under way.
 * What is begun is written down before the cluster is asked, by a write that one of two passes alone can make, and asked for
 * with the time that was written down: whoever asks again asks for the same. Throws PortError of the store; trouble of the
 * cluster is recorded.
 */
export async function restartWorkloads(deps: RestartDeps, request: { ca: string; session?: string }): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) if (await attemptOnce(deps, request)) return
  const message = `Others wrote what was seen of ${request.ca} ${ATTEMPTS} times meanwhile.`
  throw new PortError('precondition', 'store', message)
}

/** False: another writer was first, and all must be read again. */
async function attemptOnce(deps: RestartDeps, request: { ca: string; session?: string }): Promise<boolean> {
  const scene = await sceneOf(deps, request)
  if (!scene) return true
  const { ca, intent, trust } = scene
  const stop = await stopsRestarts(deps, ca.name, intent)
  const looked = await look(deps, scene, stop)
  if ('held' in looked) {
    const state = { ...stateBefore(scene), held: looked.held }
    return (await record(deps, scene, trust, { state, through: [], ask: [] })) !== undefined
  }
  const { api, pass } = looked
  const recorded = await record(deps, scene, trust, pass)
  if (!recorded || pass.ask.length === 0) return recorded !== undefined
  const asked = await askForRestarts(deps, { name: ca.name, intent }, api, pass.ask)
  await record(deps, scene, recorded, { ...pass, state: afterAsking(pass.state, asked), through: [] })
  return true
}

async function sceneOf({ store }: RestartDeps, request: { ca: string; session?: string }): Promise<Scene | undefined> {
  const { ca: name, session } = request
  const [ca, trust] = await Promise.all([store.read('mesh-ca', name, session), store.read('trust', name, session)])
  if (!ca || !trust) return undefined
  const { underWay = [], intent: before } = trust.value.restarts ?? {}
  // What was begun is seen to its end, though nothing else is to be.
  const intent = ca.value.rotation?.restarting ?? (underWay.length > 0 ? before : undefined)
  if (!intent) return undefined
  const cluster = (await store.read('cluster', ca.value.spec.cluster))?.value
  if (!cluster) return undefined
  return { ca: ca.value, trust, cluster, intent, proxies: proxyPodsOf(ca.value.spec) }
}

/** Looks at what is under way, and at the whole cluster where none is, and decides. Trouble of the cluster is why it is held. */
async function look(
  deps: RestartDeps,
  scene: Scene,
  stop: RestartStop | undefined,
): Promise<{ readonly api: ClusterApi; readonly pass: Pass } | { readonly held: RestartStop }> {
  const { intent, ca, proxies } = scene
  const rollouts = await liveRollouts(deps.store, scene.cluster.name)
  const now = deps.clock.now()
  try {
    const api = await deps.clusters.connect(scene.cluster)
    const see = async (also: readonly WorkloadRef[], namespaces?: readonly string[]): Promise<Resolved> =>
      resolveWorkloads(await gatherRestarts(api, proxies, namespaces), { intent, proxies, rollouts, also })
    const pass = await passOver({ before: stateBefore(scene), limits: limitsOf(ca), intent, now, stop, see })
    return { api, pass }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { held: troubleOf(error) }
  }
}

function stateBefore({ trust, intent }: Scene): RestartsState {
  const before = trust.value.restarts
  const isSame = before !== undefined && canonicalJson(before.intent) === canonicalJson(intent)
  if (isSame) return before
  return { intent, underWay: before?.underWay ?? [], done: 0, left: 0, cannot: [], waiting: [] }
}

function limitsOf({ spec: { restarts } }: MeshCaDocument) {
  const { percent = 0, atOnce = 0, readyTimeout = '10m' } = restarts ?? {}
  return { percent, atOnce, readyTimeoutMs: durationMs(readyTimeout) }
}

/** Namespaces in which a rollout of ours changes what runs, with its service. */
async function liveRollouts(store: Store, cluster: string): Promise<ReadonlyMap<string, string>> {
  const services = await store.all('service', { filled: 'rollouts' })
  return new Map(
    services
      .filter((service) => liveRolloutOn(service, cluster))
      .map(({ namespace, name }) => [namespace, serviceKey(namespace, name)]),
  )
}

/** Writes down what a pass found; undefined when another writer was first. */
async function record(
  { store, clock }: RestartDeps,
  { ca }: Scene,
  stored: Stored<TrustDocument>,
  pass: Pass,
): Promise<Stored<TrustDocument> | undefined> {
  const next = withRestartsRecorded(stored.value, ca, pass, clock.now())
  if (next === stored.value) return stored
  try {
    return await store.replace(stored, next)
  } catch (error) {
    if (isPortError(error, 'conflict', 'precondition')) return undefined
    throw error
  }
}
