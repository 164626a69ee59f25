import type { KubernetesAdmin, KubernetesObject } from './kubernetes.ts'
import type { SidecarPod } from './sidecar.ts'

/** One server pod and the loopback port of its application. */
export interface Server {
  readonly pod: SidecarPod
  readonly appPort: number
}

const PORT = 9898

/**
 * Everything of a small mesh that a person, a Deployment, injection and the EndpointSlice controller would have made: namespace, service accounts, Service,
 * EndpointSlice, Pods, mutual TLS STRICT, and the Sidecar objects that stand in for iptables.
 */
export function meshObjects(mesh: {
  namespace: string
  service: string
  servers: readonly Server[]
  client: SidecarPod
  /** Where the client's sidecar takes calls. */
  entry: string
}): KubernetesObject[] {
  const { namespace, service, servers, client, entry } = mesh
  return [
    object('v1', 'Namespace', undefined, namespace, { labels: { 'istio-injection': 'enabled' } }),
    object('v1', 'ServiceAccount', namespace, service),
    object('v1', 'ServiceAccount', namespace, client.serviceAccount),
    object('v1', 'Service', namespace, service, {
      spec: { selector: { app: service }, ports: [{ name: 'http', port: 80, targetPort: PORT }] },
    }),
    object('security.istio.io/v1', 'PeerAuthentication', namespace, 'default', { spec: { mtls: { mode: 'STRICT' } } }),
    ...[...servers.map((one) => one.pod), client].map(pod),
    ...servers.map(serverListeners),
    clientListeners(client, entry),
    endpointSlice(namespace, service, servers),
  ]
}

/** Does what a kubelet does for a started pod: writes address and readiness into its status. */
export async function podReady(admin: KubernetesAdmin, pod: SidecarPod): Promise<void> {
  await admin.patchStatus(object('v1', 'Pod', pod.namespace, pod.name), {
    phase: 'Running',
    podIP: pod.address,
    podIPs: [{ ip: pod.address }],
    conditions: [{ type: 'Ready', status: 'True' }],
  })
}

function endpointSlice(namespace: string, service: string, servers: readonly Server[]): KubernetesObject {
  const endpoints = servers.map(({ pod: { name, address } }) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', name, namespace },
  }))
  return object('discovery.k8s.io/v1', 'EndpointSlice', namespace, `${service}-1`, {
    labels: { 'kubernetes.io/service-name': service },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: PORT, protocol: 'TCP' }],
    endpoints,
  })
}

/** The Pod object of a sidecar or gateway. */
export function pod({ namespace, name, labels, serviceAccount }: SidecarPod): KubernetesObject {
  return object('v1', 'Pod', namespace, name, {
    // Injection would have set this label; by it clients know that they may speak mutual TLS.
    labels: { ...labels, 'security.istio.io/tlsMode': 'istio' },
    spec: {
      nodeName: 'node-1',
      serviceAccountName: serviceAccount,
      containers: [{ name: 'main', image: 'none', ports: [{ name: 'http', containerPort: PORT }] }],
    },
  })
}

function serverListeners({ pod: { namespace, name, labels, address }, appPort }: Server): KubernetesObject {
  return object('networking.istio.io/v1', 'Sidecar', namespace, name, {
    spec: {
      workloadSelector: { labels },
      ingress: [
        {
          port: { number: PORT, protocol: 'HTTP', name: 'http' },
          bind: address,
          captureMode: 'NONE',
          defaultEndpoint: `127.0.0.1:${appPort}`,
        },
      ],
      egress: [{ hosts: ['istio-system/*'] }],
    },
  })
}

function clientListeners({ namespace, name, labels }: SidecarPod, entry: string): KubernetesObject {
  return object('networking.istio.io/v1', 'Sidecar', namespace, name, {
    spec: {
      workloadSelector: { labels },
      // The port must be the Service's own: by it istiod finds the routes.
      egress: [
        {
          port: { number: 80, protocol: 'HTTP', name: 'http' },
          bind: entry,
          captureMode: 'NONE',
          hosts: [`${namespace}/*`],
        },
      ],
    },
  })
}

export function object(
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
  name: string,
  { labels, ...fields }: { labels?: Readonly<Record<string, string>>; [field: string]: unknown } = {},
): KubernetesObject {
  const metadata = { name, ...(namespace ? { namespace } : {}), ...(labels ? { labels } : {}) }
  return { apiVersion, kind, metadata, ...fields }
}
