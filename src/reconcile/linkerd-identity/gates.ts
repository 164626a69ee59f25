import { textHash } from '../../mesh/linkerd/identity.ts'
import { anchorsHashOf, meshPods, proxySelector, RUNNING_PODS, startsOf } from '../../mesh/linkerd/pods.ts'
import { MANAGER, revisionOf } from '../../mesh/marks.ts'
import { leafLifetimeMs, spreadMs } from '../../model/ca-rotation.ts'
import { timestamp } from '../../model/names.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { Obstacle } from '../certificates/obstacles.ts'
import { LOOK_AGAIN_MS } from '../situation.ts'
import { anchorOf, isSameCertificate, rootHashes } from './chains.ts'
import type { IdentityScene, LiveIdentity } from './identity-scene.ts'
import { signingChain } from './order.ts'

/**
 * A rotation asks for a step only once the step before it was seen to be taken. These hold what it did not ask for: that after
 * another hand put back an old state, or a backup, both steps are done at once, while proxies know of neither.
 */

/** Metadata of all Pods with a proxy. Throws PortError. */
export async function listPods(api: ClusterApi, namespace: string) {
  const options = { labelSelector: proxySelector(namespace), fieldSelector: RUNNING_PODS, pageSize: 500 }
  const pods = await api.listMetadata({ apiVersion: 'v1', kind: 'Pod' }, options)
  return meshPods(
    pods.map(({ metadata }) => metadata),
    namespace,
  )
}

/**
 * An issuer that stands on another anchor than the one that signs now waits until every Pod started with the anchors that the
 * ConfigMap holds: proxies read them only then, and refuse what they do not know. Throws PortError.
 */
export async function issuerObstacle(scene: IdentityScene, live: LiveIdentity): Promise<Obstacle | undefined> {
  const { api, intent, namespace, now } = scene
  const present = signingChain(live, now)
  if (!intent.issuer || present === undefined) return undefined
  const next = anchorOf(intent.issuer.certChain, live.anchors)
  if (!next) {
    const message = 'The issuer that is to sign stands on none of the anchors that the cluster holds.'
    return { reason: 'IssuerNotTrusted', message, again: now + LOOK_AGAIN_MS }
  }
  if (isSameCertificate(anchorOf(present, live.anchors), next)) return undefined
  const { meshed } = await listPods(api, namespace.metadata.name)
  const wanted = textHash(live.anchors)
  const behind = meshed.filter((pod) => anchorsHashOf(pod) !== wanted)
  if (behind.length === 0) return undefined
  const examples = behind.slice(0, 5).map(({ namespace: of = '', name }) => `${of}/${name}`)
  const message =
    `${behind.length} Pods of the mesh started with other anchors than the cluster holds (${examples.join(', ')}): they would ` +
    'refuse what an issuer below the next one signs. Restart them.'
  return { reason: 'PodsLackAnchor', message, again: now + LOOK_AGAIN_MS }
}

/**
 * Anchors that lose one wait, where the issuer was written for the same revision already, until no certificate of the issuer
 * before it can be alive: for the lifetime of workload certificates, or until every Pod was started since. Throws PortError.
 */
export async function anchorsObstacle(scene: IdentityScene, live: LiveIdentity): Promise<Obstacle | undefined> {
  const { api, ca, intent, namespace, now } = scene
  const next = rootHashes(intent.anchors)
  const loses = [...rootHashes(live.anchors)].some((root) => !next.has(root))
  if (!loses || !live.secret || !intent.issuer || revisionOf(live.secret) !== intent.revision) return undefined
  const ours = live.secret.metadata.managedFields?.find(({ manager }) => manager === MANAGER)
  const ttlMs = leafLifetimeMs(ca.spec, scene.before)
  const taken = (ours?.time === undefined ? now : Date.parse(ours.time)) + spreadMs(ttlMs)
  if (taken + ttlMs <= now) return undefined
  const { meshed } = await listPods(api, namespace.metadata.name)
  const { count, oldestStart } = startsOf(meshed)
  if (count === 0 || (oldestStart !== undefined && Date.parse(oldestStart) > taken)) return undefined
  const message =
    `An anchor is to go, and the issuer changed with it: certificates that stand on it may be alive until ${timestamp(taken + ttlMs)}, ` +
    'or until every Pod of the mesh was restarted.'
  return { reason: 'AnchorInUse', message, again: Math.min(taken + ttlMs, now + LOOK_AGAIN_MS) }
}
