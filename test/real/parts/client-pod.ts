import type { KubernetesObject } from './kubernetes.ts'
import { object, pod } from './mesh-objects.ts'
import type { SidecarPod } from './sidecar.ts'
import type { Site } from './site.ts'

/** Who is to call besides the mesh's own client. */
export interface ClientSpec {
  readonly name: string
  /** That of the service when left out. */
  readonly namespace?: string
  /** As `name` when left out. */
  readonly serviceAccount?: string
}

/** A Pod that calls others through its sidecar. */
export interface ClientPod extends SidecarPod {
  /** Where its sidecar takes calls, on the Service's own port. */
  readonly entry: string
}

/** Where a client stands; `index` tells clients of one site apart, 0 to 9. */
export function clientPodAt(site: Site, spec: Required<ClientSpec>, index: number): ClientPod {
  const { name, namespace, serviceAccount } = spec
  return {
    namespace,
    name,
    serviceAccount,
    // 11 to 18 are versions, 20 is the gateway.
    address: site.pod(index === 0 ? 10 : 20 + index),
    labels: { app: name, version: 'v0' },
    adminPort: site.port(index === 0 ? 15_300 : 15_320 + 10 * index),
    entry: site.entry(index),
  }
}

/** What a person and injection would have made for a client that calls services of these namespaces. */
export function clientObjects(client: ClientPod, called: readonly string[]): KubernetesObject[] {
  const { namespace, name, serviceAccount, labels, entry } = client
  // The port must be the Service's own: by it istiod finds the routes.
  const port = { number: 80, protocol: 'HTTP', name: 'http' }
  return [
    object('v1', 'Namespace', undefined, namespace, { labels: { 'istio-injection': 'enabled' } }),
    object('v1', 'ServiceAccount', namespace, serviceAccount),
    pod(client),
    object('networking.istio.io/v1', 'Sidecar', namespace, name, {
      spec: {
        workloadSelector: { labels },
        egress: [{ port, bind: entry, captureMode: 'NONE', hosts: called.map((one) => `${one}/*`) }],
      },
    }),
  ]
}
