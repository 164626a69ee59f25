import type { KubeMetadata } from '../../model/kube.ts'
import type { MeshCaSpec } from '../../model/mesh-ca.ts'
import { hasBundles, isMarkedProxy, PROXY_SELECTORS } from '../istio/trust.ts'
import { COMPONENT } from '../linkerd/identity.ts'
import { anchorsHashOf, proxySelector } from '../linkerd/pods.ts'

/** What a Pod with a proxy is to the mesh. */
export type ProxyRole = 'control-plane' | 'sidecar' | 'gateway'

/** How a mesh's Pods with a proxy are found, and told apart. */
export interface ProxyPods {
  /** Label selectors that find them together; a Pod may answer to several. */
  readonly selectors: readonly string[]
  /** Is a namespace one of those that the mesh looks at? */
  readonly counts: (namespace: KubeMetadata) => boolean
  readonly roleOf: (pod: KubeMetadata) => ProxyRole
  /** Has the mesh itself marked it as one with a proxy? Labels that find it may be anybody's: what is not marked is never restarted. */
  readonly isMarked: (pod: KubeMetadata) => boolean
  /** SHA-256 of the text of the anchors that the proxy started with; undefined where its Pod does not tell. */
  readonly anchorsOf: (pod: KubeMetadata) => string | undefined
}

/** Is a namespace of Istio one of those that the CA looks at? */
export function countsFor(spec: MeshCaSpec): ProxyPods['counts'] {
  const except = spec.purpose === 'mesh-ca' ? (spec.exceptNamespaces ?? []) : []
  return (namespace) => hasBundles(namespace) && !except.includes(namespace.name)
}

const ISTIO: Omit<ProxyPods, 'counts'> = {
  selectors: PROXY_SELECTORS,
  // The injector's template for gateways leaves this label out: a gateway takes no connections of the mesh.
  roleOf: ({ labels = {} }) => (labels['security.istio.io/tlsMode'] === undefined ? 'gateway' : 'sidecar'),
  isMarked: isMarkedProxy,
  anchorsOf: () => undefined,
}

function linkerd(namespace: string): ProxyPods {
  return {
    selectors: [proxySelector(namespace)],
    counts: ({ deletionTimestamp }) => deletionTimestamp === undefined,
    roleOf: (pod) =>
      pod.namespace === namespace && Object.hasOwn(pod.labels ?? {}, COMPONENT) ? 'control-plane' : 'sidecar',
    isMarked: () => true,
    anchorsOf: (pod) => anchorsHashOf(pod) || undefined,
  }
}

/** The Pods of the mesh that a CA is of. */
export function proxyPodsOf(spec: MeshCaSpec): ProxyPods {
  return spec.purpose === 'linkerd-identity' ? linkerd(spec.namespace) : { ...ISTIO, counts: countsFor(spec) }
}
