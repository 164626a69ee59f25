import { IDENTITY_CONTROLLER, issuanceLifetime } from '../../mesh/linkerd/identity.ts'
import { lastIssuerEvent } from '../../mesh/linkerd/issuer-events.ts'
import { countAnchors, startsOf } from '../../mesh/linkerd/pods.ts'
import { goDurationMs } from '../../mesh/read/values.ts'
import { BUNDLE_PLACES } from '../../mesh/trust/bundle-places.ts'
import { bundlesIn, groupBundles } from '../../mesh/trust/group-bundles.ts'
import type { TrustState } from '../../model/trust.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { unlessDenied } from '../../ports/unless-denied.ts'
import { withoutData } from '../hidden-data.ts'
import { withoutKeys } from '../linkerd-identity/chains.ts'
import { listPods } from '../linkerd-identity/gates.ts'
import type { LiveIdentity } from '../linkerd-identity/identity-scene.ts'
import { withoutUndefined } from '../without-undefined.ts'

const EVENT = { apiVersion: 'v1', kind: 'Event' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
const MOST_MESSAGE = 300

/** What a cluster of Linkerd tells of who trusts what. */
export type LinkerdSeen = Pick<
  TrustState,
  'bundles' | 'without' | 'pods' | 'anchors' | 'controlPlane' | 'issuerEvent' | 'issuanceLifetimeMs' | 'found'
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

/**
 * How long certificates of workloads live: the longest that the identity controller's Deployment said in this rotation, for
 * those that were issued before it was shortened live on. Throws PortError.
 */
export async function longestLifetime(
  api: ClusterApi,
  namespace: string,
  before: TrustState | undefined,
): Promise<Pick<TrustState, 'issuanceLifetimeMs'>> {
  const fieldSelector = `metadata.name=${IDENTITY_CONTROLLER}`
  const deployments = await unlessDenied(api.list(DEPLOYMENT, { namespace, fieldSelector }))
  const said = goDurationMs(issuanceLifetime(deployments?.[0])) ?? 0
  const longest = Math.max(said, before?.issuanceLifetimeMs ?? 0)
  return longest > 0 ? { issuanceLifetimeMs: longest } : {}
}

/** Who may not list events does without. */
async function readEvents(api: ClusterApi, namespace: string): Promise<TrustState['issuerEvent']> {
  const fieldSelector = `involvedObject.name=${IDENTITY_CONTROLLER}`
  const event = lastIssuerEvent((await unlessDenied(api.list(EVENT, { namespace, fieldSelector }))) ?? [])
  if (!event) return undefined
  const { skipped } = event
  const shown = <T extends { readonly message: string }>(said: T) => {
    return { ...said, message: withoutData(said.message).slice(0, MOST_MESSAGE) }
  }
  return { ...shown(event), ...(skipped ? { skipped: shown(skipped) } : {}) }
}
