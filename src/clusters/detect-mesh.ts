import type { MeshFacts, ProviderName } from '../model/cluster.ts'
import type { KubeObject } from '../model/kube.ts'
import type { MetadataObject } from '../ports/cluster-api.ts'

/** The CRD that tells a mesh, in the order of preference: Istio before Gateway API, which Istio clusters have too. */
const MARKS: readonly (readonly [crd: string, provider: ProviderName])[] = [
  ['virtualservices.networking.istio.io', 'istio'],
  ['servers.policy.linkerd.io', 'linkerd'],
  ['servicesplitters.consul.hashicorp.com', 'consul'],
  ['meshconfigs.config.openservicemesh.io', 'osm'],
  ['httproutes.gateway.networking.k8s.io', 'gateway-api'],
]
const BUNDLE = 'gateway.networking.k8s.io/bundle-version'
const CHANNEL = 'gateway.networking.k8s.io/channel'

/**
 * Which mesh a cluster has, from its CRDs and the Deployments of the control plane. `wanted` is what the registration
 * says. Undefined when no mesh was found. A control plane that cannot be seen leaves the revision unknown, no more.
 */
export function detectMesh(
  crds: readonly MetadataObject[],
  controlPlanes: readonly KubeObject[],
  wanted?: ProviderName,
): MeshFacts | undefined {
  const names = new Set(crds.map((crd) => crd.metadata.name))
  const mark = MARKS.find(([crd, provider]) => names.has(crd) && (wanted === undefined || provider === wanted))
  if (!mark) return undefined
  const gateway = crds.find((crd) => crd.metadata.annotations?.[BUNDLE] !== undefined)?.metadata.annotations
  return {
    provider: mark[1],
    ...(mark[1] === 'istio' ? istioRevision(controlPlanes) : {}),
    ...(gateway?.[BUNDLE] === undefined
      ? {}
      : { gatewayApi: { bundle: gateway[BUNDLE], channel: gateway[CHANNEL] ?? 'unknown' } }),
  }
}

/** The newest istiod: AKS's own namespace first, then by revision with its numbers compared as numbers. */
function istioRevision(deployments: readonly KubeObject[]): Pick<MeshFacts, 'namespace' | 'revision' | 'version'> {
  const [newest] = deployments
    .filter((deployment) => deployment.metadata.name.startsWith('istiod'))
    .sort((a, b) => Number(isAks(b)) - Number(isAks(a)) || compareRevisions(revisionOf(b), revisionOf(a)))
  if (!newest) return {}
  const version = imageTag(newest)
  return {
    ...(newest.metadata.namespace === undefined ? {} : { namespace: newest.metadata.namespace }),
    revision: revisionOf(newest),
    ...(version === undefined ? {} : { version }),
  }
}

function isAks(deployment: KubeObject): boolean {
  return deployment.metadata.namespace === 'aks-istio-system'
}

function revisionOf(deployment: KubeObject): string {
  return deployment.metadata.labels?.['istio.io/rev'] ?? 'default'
}

/** `asm-1-9` before `asm-1-10`. */
function compareRevisions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function imageTag(deployment: KubeObject): string | undefined {
  const template = deployment.spec?.['template'] as { spec?: { containers?: { image?: string }[] } } | undefined
  const image = template?.spec?.containers?.find((container) => container.image?.includes('pilot'))?.image
  return image?.split('@')[0]?.match(/:v?(\d+\.\d+[^:/]*)$/)?.[1]
}
