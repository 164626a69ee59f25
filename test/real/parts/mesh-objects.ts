import type { KubernetesAdmin, KubernetesObject } from './kubernetes.ts'
import type { SidecarPod } from './sidecar.ts'

/** One server pod and the loopback port of its application. */
export interface Server {
  readonly pod: SidecarPod
  readonly appPort: number
}

/** Where Pods of services listen. */
export const POD_PORT = 9898

/**
 * Everything of a service that a person, a Deployment, injection and the EndpointSlice controller would have made: namespace, service account, Service,
 * EndpointSlice, Pods, the namespace's mutual TLS, and the Sidecar objects that stand in for iptables.
 */
export function serviceObjects(of: {
  namespace: string
  service: string
  servers: readonly Server[]
  /** What all Pods of the namespace ask of those who call. */
  mtls: 'STRICT' | 'PERMISSIVE'
}): KubernetesObject[] {
  const { namespace, service, servers, mtls } = of
  return [
    object('v1', 'Namespace', undefined, namespace, { labels: { 'istio-injection': 'enabled' } }),
    ...[...new Set(servers.map((one) => one.pod.serviceAccount))].map((name) =>
      object('v1', 'ServiceAccount', namespace, name),
    ),
    object('v1', 'Service', namespace, service, {
      spec: { selector: { app: service }, ports: [{ name: 'http', port: 80, targetPort: POD_PORT }] },
    }),
    object('security.istio.io/v1', 'PeerAuthentication', namespace, 'default', { spec: { mtls: { mode: mtls } } }),
    ...servers.map((one) => pod(one.pod)),
    ...servers.map(serverListeners),
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
    ports: [{ name: 'http', port: POD_PORT, protocol: 'TCP' }],
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
      containers: [{ name: 'main', image: 'none', ports: [{ name: 'http', containerPort: POD_PORT }] }],
    },
  })
}

function serverListeners({ pod: { namespace, name, labels, address }, appPort }: Server): KubernetesObject {
  return object('networking.istio.io/v1', 'Sidecar', namespace, name, {
    spec: {
      workloadSelector: { labels },
      ingress: [
        {
          port: { number: POD_PORT, protocol: 'HTTP', name: 'http' },
          bind: address,
          captureMode: 'NONE',
          defaultEndpoint: `127.0.0.1:${appPort}`,
        },
      ],
      egress: [{ hosts: ['istio-system/*'] }],
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
