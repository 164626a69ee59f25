import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

/** A cluster that people have set up by hand comes under Meshwright, over real services and an emulated cluster. */
let product: Product

beforeAll(async () => {
  product = await startProduct('--empty')
  await product.call('PUT', '/teams/shop', { body: { namespaces: ['shop'], groups: [] } })
  await product.call('PUT', '/clusters/east?wait=30s', { body: { kubeconfig: { context: 'east' } } })
}, 120_000)
afterAll(() => product.close())

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[]
  readonly users: readonly { readonly user: { readonly token: string } }[]
}

async function kube(method: string, path: string, body?: object) {
  const config = JSON.parse(readFileSync(product.file.kubeconfig, 'utf8')) as Kubeconfig
  const server = config.clusters.find(({ name }) => name === 'east')?.cluster.server
  const headers = { authorization: `Bearer ${config.users[0]?.user.token}`, 'content-type': 'application/json' }
  const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) }
  const response = await fetch(`${server}${path}`, init)
  return { status: response.status, body: (await response.json()) as { items?: KubeItem[] } & KubeItem }
}

interface KubeItem {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string }
}

const PATHS = {
  Service: '/api/v1/namespaces/shop/services',
  VirtualService: '/apis/networking.istio.io/v1/namespaces/shop/virtualservices',
  DestinationRule: '/apis/networking.istio.io/v1/namespaces/shop/destinationrules',
} as const

async function make(kind: 'VirtualService' | 'DestinationRule', name: string, spec: object): Promise<void> {
  const body = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'shop' }, spec }
  const answer = await kube('POST', PATHS[kind], body)
  expect(answer.status).toBe(201)
}

/** Name, uid and version of everything of the mesh in the namespace. */
async function versions(): Promise<readonly string[]> {
  const lists = await Promise.all(Object.values(PATHS).map((path) => kube('GET', path)))
  return lists.flatMap(({ body }) =>
    (body.items ?? []).map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`),
  )
}

interface Imported {
  readonly value: readonly {
    readonly service: string
    readonly result: string
    readonly findings: readonly { code: string }[]
  }[]
}

it('is read into services in observe, and no object of it is touched until one is managed', {
  timeout: 120_000,
}, async () => {
  // Its Service and Pods are in the simulated cluster from the beginning.
  expect((await kube('GET', `${PATHS.Service}/web`)).status).toBe(200)
  const subsets = ['v1', 'v2'].map((name) => ({ name, labels: { version: name } }))
  await make('DestinationRule', 'web-rule', { host: 'web', subsets })
  const route = ['v1', 'v2'].map((subset, index) => ({
    destination: { host: 'web', subset },
    weight: index === 0 ? 90 : 10,
  }))
  await make('VirtualService', 'web-route', { hosts: ['web'], http: [{ route, timeout: '5s' }] })
  const before = await versions()

  const plan = await product.call<Imported>('POST', '/clusters/east/import/plan', { body: { namespaces: ['shop'] } })
  expect(plan).toMatchObject({
    status: 200,
    body: { value: [{ service: 'shop/web', result: 'planned', findings: [] }] },
  })
  expect((await product.call('GET', '/services/shop/web')).status).toBe(404)

  const done = await product.call<Imported>('POST', '/clusters/east/import')
  expect(done).toMatchObject({
    status: 200,
    body: { value: [{ service: 'shop/web', result: 'created', findings: [] }] },
  })
  const placements = () =>
    product.call<{ value: readonly { conditions: readonly { type: string; reason: string }[] }[] }>(
      'GET',
      '/services/shop/web/placements',
    )
  const held = await until(
    placements,
    ({ body }) => body.value[0]?.conditions.some(({ reason }) => reason === 'ObserveMode') === true,
  )
  expect(held.status).toBe(200)
  expect(await product.call('GET', '/services/shop/web')).toMatchObject({
    body: { mode: 'observe', initialVersion: 'v1', traffic: { weights: { v1: 90, v2: 10 }, timeout: '5s' } },
  })
  expect(await product.call('POST', '/clusters/east/import')).toMatchObject({
    body: { value: [{ result: 'registered' }] },
  })
  expect(await versions()).toEqual(before)

  // What is there shows in the plan, and is taken over when that is asked for.
  const shown = await product.call('POST', '/services/shop/web/plan')
  expect(shown).toMatchObject({ body: { value: [{ blocked: { reason: 'ObserveMode' } }] } })
  const taken = await product.call('PATCH', '/services/shop/web', { body: { mode: 'manage', adopt: true } })
  expect(taken.status).toBe(200)
  const names = await until(
    async () => (await versions()).map((one) => one.split(' ')[0]),
    (seen) => !seen.includes('web-route'),
  )
  expect(names.filter((name) => name === 'web')).toHaveLength(3)
})
