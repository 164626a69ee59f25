import { anchorsIn, IDENTITY_CONTROLLER, issuanceLifetime, textHash } from '../mesh/linkerd/identity.ts'
import { CONTROL_PLANES, countAnchors, meshPods, RUNNING_PODS, startsOf } from '../mesh/linkerd/pods.ts'
import type { KubeObject } from '../model/kube.ts'
import type { ClusterApi } from '../ports/cluster-api.ts'
import { unlessDenied } from '../ports/unless-denied.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
const PAGE = 500

interface Starts {
  readonly count: number
  /** RFC 3339. */
  readonly oldestStart?: string
}

/** Which Pods of Linkerd started with which anchors. */
export interface LinkerdTrust {
  /** The most Pods first. `sha256`: of the text of the anchors; empty: the Pod does not say. `current`: the ConfigMap holds them. */
  readonly anchors: readonly { readonly sha256: string; readonly pods: number; readonly current: boolean }[]
  readonly pods: Starts
  readonly controlPlane: Starts
}

/** Reads Pods with a proxy and the identity controller, as far as it may. `configMaps` are those of the anchors. Throws PortError. */
export async function readLinkerd(
  api: ClusterApi,
  configMaps: readonly KubeObject[],
): Promise<{ readonly linkerd?: LinkerdTrust; readonly issuanceLifetime?: string }> {
  const namespaces = configMaps.map(({ metadata }) => metadata.namespace ?? '')
  const [pods, deployments] = await Promise.all([
    unlessDenied(api.listMetadata(POD, { labelSelector: CONTROL_PLANES, fieldSelector: RUNNING_PODS, pageSize: PAGE })),
    unlessDenied(api.list(DEPLOYMENT, { fieldSelector: `metadata.name=${IDENTITY_CONTROLLER}` })),
  ])
  const lifetime = issuanceLifetime(deployments?.find(({ metadata }) => namespaces.includes(metadata.namespace ?? '')))
  const current = new Set(configMaps.map((one) => textHash(anchorsIn(one))))
  return {
    ...(pods
      ? {
          linkerd: trustOf(
            pods.map(({ metadata }) => metadata),
            namespaces,
            current,
          ),
        }
      : {}),
    ...(lifetime === undefined ? {} : { issuanceLifetime: lifetime }),
  }
}

function trustOf(
  pods: Parameters<typeof meshPods>[0],
  namespaces: readonly string[],
  current: ReadonlySet<string>,
): LinkerdTrust {
  const { meshed, controlPlane } = meshPods(pods, ...namespaces)
  const anchors = Object.entries(countAnchors(meshed)).map(([sha256, count]) => {
    return { sha256, pods: count, current: current.has(sha256) }
  })
  return {
    anchors: anchors.sort((one, other) => other.pods - one.pods),
    pods: startsOf(meshed),
    controlPlane: startsOf(controlPlane),
  }
}
