import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import type { ServiceView } from '../../../src/http/views/service-view.ts'
import type { Product } from './product.ts'
import { until } from './until.ts'

const CLUSTERS = ['east', 'west']

/** Body of a rollout that takes a few seconds. */
export const QUICK = {
  candidate: 'v2',
  steps: [
    { weight: 20, for: '2s' },
    { weight: 60, for: '2s' },
  ],
  bake: '2s',
  gates: [{ kind: 'errors', limitPercent: 1 }],
}

/** A rollout whose first step takes so long that a test can do something to it. */
export const SLOW = { ...QUICK, steps: [{ weight: 20, for: '5m' }] }

/** A service of its own for a test, in two versions with traffic, and what tests ask about it. */
export interface WebService {
  readonly name: string
  /** Its path in the API. */
  readonly path: string
  start(body?: object): Promise<RolloutView>
  view(): Promise<ServiceView>
  /** How v2 fares from now on. */
  setErrors(percent: number): Promise<void>
  /** Per cent of the requests that each version really gets, by cluster, as the clusters route them. */
  shares(): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>>
}

interface WorldService {
  readonly route: readonly { readonly subset: string; readonly weight: number }[] | null
}

/** Puts the service on its clusters, registers it and waits until its route is live there. */
export async function webService(product: Product, name: string, clusters = CLUSTERS): Promise<WebService> {
  const path = `/services/shop/${name}`
  const errorPercent = 0.1
  for (const cluster of clusters) {
    await product.world('PUT', `/clusters/${cluster}${path}`, {
      versions: { v1: { errorPercent }, v2: { errorPercent } },
      demand: { requestsPerSecond: 150 },
    })
  }
  await register(product, path, clusters)
  return {
    name,
    path,
    async start(body = QUICK) {
      const started = await product.call<RolloutView>('POST', `${path}/rollouts`, { body })
      if (started.status !== 201) throw new Error(`${started.status} ${JSON.stringify(started.body)}`)
      return started.body
    },
    view: async () => (await product.call<ServiceView>('GET', path)).body,
    async setErrors(percent) {
      for (const cluster of clusters)
        await product.world('PATCH', `/clusters/${cluster}${path}/versions/v2`, { errorPercent: percent })
    },
    async shares() {
      const entries = clusters.map(async (cluster) => {
        const { route } = await product.world<WorldService>('GET', `/clusters/${cluster}${path}`)
        return [cluster, sharesOf(route ?? [])] as const
      })
      return Object.fromEntries(await Promise.all(entries))
    },
  }
}

async function register(product: Product, path: string, clusters: readonly string[]): Promise<void> {
  const registered = await product.call('PUT', path, {
    body: {
      team: 'shop',
      ports: [{ name: 'http', port: 80, protocol: 'http' }],
      versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
      initialVersion: 'v1',
      clusters,
    },
  })
  if (registered.status !== 201) throw new Error(`${registered.status} ${JSON.stringify(registered.body)}`)
  await until(
    () => product.call<ServiceView>('GET', path),
    ({ status, body }) =>
      status === 200 && body.conditions.some((one) => one.type === 'Ready' && one.status === 'True'),
  )
}

function sharesOf(route: NonNullable<WorldService['route']>): Readonly<Record<string, number>> {
  const sum = route.reduce((total, { weight }) => total + weight, 0)
  return Object.fromEntries(route.map(({ subset, weight }) => [subset, Math.round((weight / sum) * 100)]))
}
