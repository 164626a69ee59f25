import { join } from 'node:path'
import type { KubernetesObject } from '../../test/real/parts/kubernetes.ts'
import { object } from '../../test/real/parts/mesh-objects.ts'
import { type Product, startProduct } from '../../test/real/parts/product.ts'
import { until } from '../../test/real/parts/wait.ts'
import { type BenchCluster, realCluster, sandboxCluster } from './clusters.ts'
import { type MetricsServer, startMetricsServer } from './metrics-server.ts'

/** Meshwright as one process, with a cluster on which `services` services with two versions are live. */
export interface Setting {
  readonly product: Product
  readonly cluster: BenchCluster
  readonly metrics: MetricsServer
  readonly services: readonly string[]
  stop(): Promise<void>
}

const PER_NAMESPACE = 10
/** The group in every token of the sandbox. */
const SANDBOX_GROUP = '00000000-cccc-4000-8000-000000000001'

/** The least that Meshwright takes, for neither is anything waited for by the peers: no proxies, metrics at once. */
export const SETTINGS = {
  MESHWRIGHT_SETTLE: '1ms',
  MESHWRIGHT_ROLLOUTS: '1000',
  MESHWRIGHT_ROLLOUTS_PER_CLUSTER: '1000',
}
export const METRICS = { delay: '0s', every: '10s' }

/** Starts everything in a folder; resolves when every service is live at 100 % of its first version. */
export async function startSetting(dir: string, count: number, kind: 'real' | 'sandbox'): Promise<Setting> {
  const cluster = await (kind === 'real' ? realCluster(join(dir, 'cluster')) : sandboxCluster())
  const metrics = await startMetricsServer(cluster.traffic)
  const services = servicesOf(count)
  await cluster.put(services.flatMap(objectsOf))
  const product = await startProduct({
    dir: join(dir, 'product'),
    clusters: [cluster.entry],
    prometheusUrl: metrics.url,
    env: SETTINGS,
  })
  await register(product, cluster.entry.context, services)
  const stop = async () => {
    await product.kill()
    await metrics.close()
    await cluster.stop()
  }
  return { product, cluster, metrics, services, stop }
}

/** Names of so many services, ten in a namespace. */
export function servicesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `ns-${Math.floor(index / PER_NAMESPACE)}/web-${index}`)
}

/** The team that has them. */
export function teamOf(services: readonly string[]) {
  return { namespaces: [...new Set(services.map((service) => service.split('/')[0]))], groups: [SANDBOX_GROUP] }
}

export function specOf(service: string) {
  return {
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: Object.fromEntries(['v1', 'v2'].map((version) => [version, { labels: labels(service, version) }])),
    initialVersion: 'v1',
    clusters: ['one'],
  }
}

async function register(product: Product, context: string, services: readonly string[]): Promise<void> {
  await product.must('admin', 'PUT', '/teams/shop', teamOf(services))
  await product.must('operator', 'PUT', '/clusters/one', { kubeconfig: { context }, metrics: METRICS })
  for (const service of services) {
    await product.must('deployer', 'PUT', `/services/${service}`, specOf(service))
  }
  for (const service of services) {
    await until(`${service} is live`, 120_000, async () => {
      const path = `/services/${service}/placements`
      const { value } = await product.must<{ value: { liveRevision: number }[] }>('viewer', 'GET', path)
      if (value.some(({ liveRevision }) => liveRevision > 0)) return true
      throw new Error(JSON.stringify(value))
    })
  }
}

function labels(service: string, version: string): Readonly<Record<string, string>> {
  return { app: service.split('/')[1] ?? service, version }
}

/** What Deployments and the controllers of a cluster would have made for a service with two versions. */
export function objectsOf(service: string, index: number): KubernetesObject[] {
  const [namespace = '', name = ''] = service.split('/')
  const first: readonly KubernetesObject[] =
    index % PER_NAMESPACE === 0 ? [object('v1', 'Namespace', undefined, namespace)] : []
  const containers = [{ name: 'main', image: 'none' }]
  const workloads = ['v1', 'v2'].flatMap((version) => {
    const own = labels(service, version)
    const template = { metadata: { labels: own }, spec: { containers } }
    return [
      object('apps/v1', 'Deployment', namespace, `${name}-${version}`, {
        spec: { selector: { matchLabels: own }, template },
      }),
      object('v1', 'Pod', namespace, `${name}-${version}`, { labels: { ...own }, spec: { containers } }),
    ]
  })
  const endpoints = ['v1', 'v2'].map((version, at) => ({
    addresses: [`10.1.${index % 250}.${at + 1}`],
    conditions: { ready: true },
    targetRef: { kind: 'Pod', name: `${name}-${version}`, namespace },
  }))
  return [
    ...first,
    object('v1', 'Service', namespace, name, {
      spec: { selector: { app: name }, clusterIP: 'None', ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    }),
    object('discovery.k8s.io/v1', 'EndpointSlice', namespace, `${name}-1`, {
      labels: { 'kubernetes.io/service-name': name },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints,
    }),
    ...workloads,
  ]
}
