import type { KubernetesObject } from '../emulators/kubernetes/json.ts'
import type { SeedObject } from '../emulators/kubernetes/seed.ts'

/** The webhook of a mesh that puts its proxy into Pods as they are made. */
export interface Injector {
  /** Whether a Pod of nobody in the world is to have a proxy, by its own marks and those of its namespace. */
  wants(pod: SeedObject, namespace: KubernetesObject | undefined): boolean
  inject(pod: SeedObject): SeedObject
}

/** Deployments do not know of it. */
const PROXY = { name: 'istio-proxy', image: 'registry.example.com/istio/proxyv2:1.30.2' }

/** Istio's sidecar, marked as its injector marks it. */
export const istioInjector: Injector = {
  wants({ metadata }, namespace) {
    const own = labelsOf(metadata)['sidecar.istio.io/inject']
    if (own !== undefined) return own === 'true'
    const { 'istio-injection': injection, 'istio.io/rev': revision } = namespace?.metadata.labels ?? {}
    return injection === 'enabled' || (injection === undefined && revision !== undefined)
  },
  inject: (pod) =>
    withProxy(pod, PROXY, {
      labels: { 'security.istio.io/tlsMode': 'istio' },
      annotations: { 'sidecar.istio.io/status': '{}' },
    }),
}

/** A Pod with one more container, and marks on it. */
export function withProxy(
  pod: SeedObject,
  container: Readonly<Record<string, unknown>>,
  marks: Readonly<Record<'labels' | 'annotations', Readonly<Record<string, string>>>>,
): SeedObject {
  const { metadata, spec } = pod
  const { containers = [], ...rest } = spec as { readonly containers?: readonly unknown[] }
  const labels = { ...labelsOf(metadata), ...marks.labels }
  const annotations = { ...(metadata.annotations as object | undefined), ...marks.annotations }
  return {
    ...pod,
    metadata: { ...metadata, labels, annotations },
    spec: { ...rest, containers: [...containers, container] },
  }
}

function labelsOf({ labels }: SeedObject['metadata']): Readonly<Record<string, string>> {
  return (labels ?? {}) as Readonly<Record<string, string>>
}
