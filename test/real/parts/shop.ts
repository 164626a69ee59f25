import { expect } from 'vitest'
import type { Product } from './product.ts'
import type { RealCluster } from './real-cluster.ts'
import { until } from './wait.ts'

/** The group in every token of the sandbox. */
export const SANDBOX_GROUP = '00000000-cccc-4000-8000-000000000001'

/** `shop/web` with its two versions, on no cluster yet. */
const SERVICE = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
  initialVersion: 'v1',
}

const METRICS_ANSWER = ['Answers', 'MeshNotScraped']

interface Conditions {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[]
}

interface Placements {
  readonly value: readonly { readonly cluster: string; readonly liveRevision: number }[]
}

/**
 * Registers a cluster under its own name, and resolves when Meshwright finds all of it ready. Without `prometheus` it names
 * none: Meshwright was started with one.
 */
export async function registerCluster(
  product: Product,
  { name, api }: RealCluster,
  prometheus?: { readonly url: string },
): Promise<void> {
  await product.must('operator', 'PUT', `/clusters/${name}`, {
    kubeconfig: { context: api.context },
    metrics: { delay: '1s', every: '2s', ...(prometheus === undefined ? {} : { prometheus: { url: prometheus.url } }) },
  })
  await until(`cluster ${name} is ready`, 30_000, async () => {
    const { conditions } = await product.must<Conditions>('viewer', 'GET', `/clusters/${name}`)
    const isTrue = (type: string) => conditions.some((one) => one.type === type && one.status === 'True')
    // No request came through the mesh yet, so metrics may say that it is not scraped.
    const answers = conditions.some(({ type, reason }) => type === 'MetricsReady' && METRICS_ANSWER.includes(reason))
    if (['Reachable', 'MeshReady'].every(isTrue) && answers) return true
    throw new Error(JSON.stringify(conditions))
  })
}

/** Registers the team and its service on clusters that are registered, and resolves when the service is live on each. */
export async function registerShop(product: Product, clusters: readonly RealCluster[]): Promise<void> {
  const names = clusters.map(({ name }) => name)
  await product.must('admin', 'PUT', '/teams/shop', { namespaces: ['shop'], groups: [SANDBOX_GROUP] })
  await product.must('deployer', 'PUT', '/services/shop/web', { ...SERVICE, clusters: names })
  await until('the placements are live', 60_000, async () => {
    const { value } = await product.must<Placements>('viewer', 'GET', '/services/shop/web/placements')
    const live = value.filter(({ liveRevision }) => liveRevision > 0).map(({ cluster }) => cluster)
    if (names.every((name) => live.includes(name))) return true
    throw new Error(JSON.stringify(value))
  })
}

/** All of 300 requests on this cluster reach this version, and the record says that it is stable there. */
export async function expectAllOn(product: Product, { name, mesh }: RealCluster, version: string): Promise<void> {
  const share = await mesh.requestShare(300)
  expect(share).toMatchObject({ byVersion: { [version]: 300 }, byStatus: { 200: 300 } })
  expect(await product.must('viewer', 'GET', '/services/shop/web')).toMatchObject({ stable: { [name]: version } })
}
