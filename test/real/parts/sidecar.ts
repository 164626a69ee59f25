import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiServer } from './api-server.ts'
import { ISTIOD_HOST, type Istiod } from './istiod.ts'
import type { Parts } from './parts.ts'
import { type RunningProcess, startProcess } from './processes.ts'

/** A pod as a sidecar sees itself. The Pod object must exist: its token is bound to it. */
export interface SidecarPod {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
  readonly address: string
  readonly labels: Readonly<Record<string, string>>
  /** Envoy's admin port on 127.0.0.1; the two ports after it are taken too. */
  readonly adminPort: number
  /** `router` is a gateway; a sidecar when left out. */
  readonly role?: 'router'
}

/** `host:port` whose `/stats/prometheus` gives the statistics of a sidecar's Envoy. */
export function metricsAddress({ adminPort }: SidecarPod): string {
  return `127.0.0.1:${adminPort}`
}

/** Starts a sidecar, pilot-agent with the Envoy that it starts, with an identity of its own from istiod. It is not ready yet when this resolves: send a request to find out. */
export async function startSidecar(options: {
  parts: Parts
  dir: string
  api: ApiServer
  istiod: Istiod
  pod: SidecarPod
  /** Of the certificates that it asks for; a day when left out. */
  workloadTtl?: string
  /** Prefixes of statistics that Envoy keeps besides the usual ones. */
  stats?: readonly string[]
}): Promise<RunningProcess> {
  const { parts, api, istiod, pod, workloadTtl } = options
  const dir = join(options.dir, pod.name)
  // pilot-agent looks for its token and puts its sockets under its own working folder.
  for (const folder of ['etc/istio/proxy', 'etc/certs', `${RUN}/workload-spiffe-uds`, `${RUN}/tokens`]) {
    mkdirSync(join(dir, folder), { recursive: true })
  }
  writeFileSync(join(dir, RUN, 'tokens/istio-token'), await boundToken(api, pod), { mode: 0o600 })
  return startProcess({
    dir,
    name: 'sidecar',
    command: parts.pilotAgent,
    args: [
      'proxy',
      pod.role ?? 'sidecar',
      '--domain',
      `${pod.namespace}.svc.cluster.local`,
      '--templateFile',
      parts.envoyBootstrap,
    ],
    env: {
      PROXY_CONFIG: JSON.stringify(proxyConfig({ ...options, dir })),
      ISTIOD_SAN: ISTIOD_HOST,
      CA_ADDR: istiod.discoveryAddress,
      XDS_ROOT_CA: istiod.rootCertificate,
      CA_ROOT_CA: istiod.rootCertificate,
      JWT_POLICY: 'third-party-jwt',
      TRUST_DOMAIN: 'cluster.local',
      PILOT_CERT_PROVIDER: 'istiod',
      POD_NAME: pod.name,
      POD_NAMESPACE: pod.namespace,
      SERVICE_ACCOUNT: pod.serviceAccount,
      INSTANCE_IP: pod.address,
      // Envoy binds this one with SO_REUSEPORT: left at its default, all sidecars would answer in turn on one port.
      ENVOY_PROMETHEUS_PORT: String(pod.adminPort + 2),
      ...(workloadTtl === undefined ? {} : { SECRET_TTL: workloadTtl }),
      ISTIO_META_CLUSTER_ID: 'Kubernetes',
      ISTIO_META_INTERCEPTION_MODE: 'NONE',
      ISTIO_METAJSON_LABELS: JSON.stringify(pod.labels),
    },
  })
}

const RUN = 'var/run/secrets'

function proxyConfig(options: Parameters<typeof startSidecar>[0]): object {
  const { parts, dir, istiod, pod, stats = [] } = options
  return {
    discoveryAddress: istiod.discoveryAddress,
    binaryPath: realpathSync(parts.envoy),
    configPath: join(dir, 'config'),
    proxyAdminPort: pod.adminPort,
    statusPort: pod.adminPort + 1,
    concurrency: 1,
    // There is no iptables: listeners are bound as a Sidecar object says.
    interceptionMode: 'NONE',
    proxyBootstrapTemplatePath: parts.envoyBootstrap,
    // Istio drops most of Envoy's statistics. Those of the way into the application stand in for istio_requests_total.
    proxyStatsMatcher: { inclusionPrefixes: ['cluster.inbound', ...stats] },
  }
}

async function boundToken(api: ApiServer, pod: SidecarPod): Promise<string> {
  const answer = await api.admin.call(
    'POST',
    `/api/v1/namespaces/${pod.namespace}/serviceaccounts/${pod.serviceAccount}/token`,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: ['istio-ca'],
        // Longer than any run, so that an agent never finds its token expired: no kubelet renews it.
        expirationSeconds: 86_400,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name },
      },
    },
  )
  const token = (answer.body as { status?: { token?: string } }).status?.token
  if (!token) throw new Error(`no token for ${pod.name}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return token
}
