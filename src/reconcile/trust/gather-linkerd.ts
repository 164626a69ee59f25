import { IDENTITY_CONTROLLER } from '../../mesh/linkerd/identity.ts'
import { lastIssuerEvent } from '../../mesh/linkerd/issuer-events.ts'
import { countAnchors, startsOf } from '../../mesh/linkerd/pods.ts'
import { BUNDLE_PLACES } from '../../mesh/trust/bundle-places.ts'
import { bundlesIn, groupBundles } from '../../mesh/trust/group-bundles.ts'
import type { TrustState } from '../../model/trust.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { withoutData } from '../hidden-data.ts'
import { withoutKeys } from '../linkerd-identity/chains.ts'
import { listPods } from '../linkerd-identity/gates.ts'
import type { LiveIdentity } from '../linkerd-identity/identity-scene.ts'
import { withoutUndefined } from '../without-undefined.ts'

const EVENT = { apiVersion: 'v1', kind: 'Event' }
const MOST_MESSAGE = 300

/** What a cluster of Linkerd tells of who trusts what. */
export type LinkerdSeen = Pick<
  TrustState,
  'bundles' | 'without' | 'pods' | 'anchors' | 'controlPlane' | 'issuerEvent' | 'found'
>

/**
 * Reads who started with which anchors, and what the identity controller said of its issuer: a list of the metadata of Pods
 * with a proxy, and one of events. `live` is what was read of the ConfigMap and the Secret. Throws PortError.
 */
export async function gatherLinkerd(api: ClusterApi, namespace: string, live: LiveIdentity): Promise<LinkerdSeen> {
  const [{ meshed, controlPlane }, issuerEvent] = await Promise.all([
    listPods(api, namespace),
    readEvents(api, namespace),
  ])
  const isThere = live.configMap !== undefined && live.anchors !== ''
  const bundles = groupBundles(bundlesIn(BUNDLE_PLACES.linkerd, live.configMap ? [live.configMap] : []))
  return withoutUndefined({
    bundles: bundles.map(({ roots, ...group }) => ({ ...group, roots: roots.map(({ fingerprint }) => fingerprint) })),
    without: isThere ? [] : [namespace],
    pods: startsOf(meshed),
    anchors: countAnchors(meshed),
    controlPlane: startsOf(controlPlane),
    issuerEvent,
    found: isThere ? foundIn(live) : undefined,
  }) as LinkerdSeen
}

function foundIn({ anchors, issuer }: LiveIdentity): NonNullable<TrustState['found']> {
  const chain = withoutKeys(issuer.chain)
  return { anchors: withoutKeys(anchors), ...(chain === '' ? {} : { issuer: chain }) }
}

/** Who may not list events does without. */
async function readEvents(api: ClusterApi, namespace: string): Promise<TrustState['issuerEvent']> {
  const fieldSelector = `involvedObject.name=${IDENTITY_CONTROLLER}`
  try {
    const event = lastIssuerEvent(await api.list(EVENT, { namespace, fieldSelector }))
    return event && { ...event, message: withoutData(event.message).slice(0, MOST_MESSAGE) }
  } catch (error) {
    if (isPortError(error, 'denied') && error.reason !== 'TokenRefused') return undefined
    throw error
  }
}
