import type { ManagedClusterFacts, ProviderName } from '../../model/cluster.ts'

/** How the CA of a mesh is rotated, and by whom. */
export interface WayToRotate {
  /** `meshwright`: a mesh CA is registered for it, or may be. `hand`: what is documented. `none`: there is no graceful way. */
  readonly by: 'meshwright' | 'hand' | 'none'
  /** For people. */
  readonly way: string
}

/** `aks` is what Azure says of the cluster; undefined: it was not asked, or the cluster is not known by its ARM id. */
export function wayToRotate(provider: ProviderName, aks: Pick<ManagedClusterFacts, 'mesh'> | undefined): WayToRotate {
  if (provider !== 'istio') return WAYS[provider]
  if (aks?.mesh && !aks.mesh.pluginCa) return SELF_SIGNED
  return ISTIO
}

const ISTIO: WayToRotate = {
  by: 'meshwright',
  way: 'PUT /certificates/{name} with purpose mesh-ca registers the plug-in CA of this cluster; POST …/rotate rotates its intermediate or its root.',
}

const SELF_SIGNED: WayToRotate = {
  by: 'none',
  way: 'istiod signs with a root that it made itself. AKS cannot change that in place: disable the mesh (az aks mesh disable) and enable it with a plug-in CA (az aks mesh enable --key-vault-id … --root-cert-object-name …).',
}

const WAYS: Readonly<Record<Exclude<ProviderName, 'istio'>, WayToRotate>> = {
  linkerd: {
    by: 'meshwright',
    way: 'PUT /certificates/{name} with purpose linkerd-identity takes trust anchor and issuer of this cluster over; POST …/rotate rotates the issuer or the anchor. Control plane and meshed Pods have to be restarted on the way: their proxies read anchors only when they start. By hand: linkerd.io/2/tasks/manually-rotating-control-plane-tls-credentials',
  },
  consul: {
    by: 'hand',
    way: "Consul's CA is not observable from Kubernetes: consul connect ca get-config and GET /v1/connect/ca/roots tell of it. consul connect ca set-config rotates it by cross-signing; without cross-signing connections fail until every leaf is renewed.",
  },
  osm: {
    by: 'none',
    way: 'Open Service Mesh 1.2 cannot trust two roots at once: removing the Secret osm-ca-bundle and restarting the control plane and every Pod changes the root, with requests that fail meanwhile. The way out is the Istio add-on.',
  },
  'gateway-api': { by: 'none', way: 'There is no mesh with certificates of its own.' },
}
