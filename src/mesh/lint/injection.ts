import type { KubeMetadata } from '../../model/kube.ts'
import type { Desired } from './subject.ts'

/** How a mesh marks what has its proxy; absent: it puts none into Pods, or it cannot be told from metadata. */
interface Injection {
  /** Does a namespace ask for proxies? */
  asks(namespace: KubeMetadata, mesh: Desired['mesh']): boolean
  /** Has a Pod one? */
  has(pod: KubeMetadata): boolean
}

const INJECTION: Readonly<Partial<Record<Desired['mesh']['provider'], Injection>>> = {
  istio: {
    asks: ({ labels = {} }, mesh) =>
      Object.hasOwn(labels, 'istio.io/rev') ||
      labels['istio.io/dataplane-mode'] === 'ambient' ||
      // The AKS add-on does not look at this one.
      (labels['istio-injection'] === 'enabled' && mesh.namespace !== 'aks-istio-system'),
    // The injector writes it, and so does the node agent of ambient, whose Pods have no proxy of their own.
    has: ({ annotations = {} }) =>
      Object.hasOwn(annotations, 'sidecar.istio.io/status') ||
      annotations['ambient.istio.io/redirection'] === 'enabled',
  },
  osm: {
    asks: ({ annotations = {} }) => annotations['openservicemesh.io/sidecar-injection'] === 'enabled',
    has: ({ labels = {} }) => Object.hasOwn(labels, 'osm-proxy-uuid'),
  },
}

/** How the proxies of a mesh are told from metadata; undefined where they are not. */
export function injectionOf({ mesh }: Pick<Desired, 'mesh'>): Injection | undefined {
  return INJECTION[mesh.provider]
}
