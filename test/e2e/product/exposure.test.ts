import { afterAll, beforeAll, expect, test } from 'vitest'
import type { HostView } from '../../../src/http/views/host-view.ts'
import type { PlacementView } from '../../../src/http/views/service-view.ts'
import type { ServiceSpec } from '../../../src/model/service.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
})
afterAll(() => product.close())

const HOST = '/hosts/external/web.example.com'
const host = async () => (await product.call<HostView>('GET', HOST)).body
const expose = (path: string, exposure: readonly object[]) =>
  product.call<{ readonly code: string }>('PATCH', path, { body: { exposure } })

async function exposed(path: string): Promise<string> {
  const { body } = await product.call<{ value: readonly PlacementView[] }>('GET', `${path}/placements`)
  return body.value
    .flatMap(({ conditions }) => conditions.filter(({ type }) => type === 'Exposed'))
    .map(({ status, reason }) => `${status} ${reason}`)
    .join()
}

test('two services share a host by path; a second claim is refused; both let go of it', {
  timeout: 180_000,
}, async () => {
  const [web, api] = [await webService(product, 'front', ['east']), await webService(product, 'back', ['east'])]
  const team = (await product.call<{ hosts?: string[] }>('GET', `/teams/${(await spec(web.path)).team}`)).body
  await product.call('PATCH', `/teams/${(await spec(web.path)).team}`, {
    body: { hosts: [...(team.hosts ?? []), 'web.example.com'] },
  })
  const tls = { certificate: 'edge-tls' }
  await product.call('PUT', '/certificates/edge-tls?wait=60s', {
    body: {
      purpose: 'gateway-tls',
      dnsNames: ['web.example.com'],
      clusters: ['east'],
      secret: { namespace: 'aks-istio-ingress', name: 'edge-tls' },
      issuer: { kind: 'self' },
    },
  })
  expect((await expose(web.path, [{ host: 'web.example.com', tls }])).status).toBe(200)
  await until(
    () => exposed(web.path),
    (seen) => seen === 'True Exposed',
  )
  const second = await expose(api.path, [{ host: 'web.example.com', tls }])
  expect([second.status, second.body.code]).toEqual([409, 'HostTaken'])
  expect((await expose(api.path, [{ host: 'web.example.com', path: '/api', tls }])).status).toBe(200)
  await until(
    () => exposed(api.path),
    (seen) => seen === 'True Exposed',
  )
  const seen = await host()
  expect(seen.clusters[0]?.routes).toEqual([
    { path: '/', service: 'shop/front' },
    { path: '/api', service: 'shop/back' },
  ])
  expect(seen.clusters[0]?.objects.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).toEqual([
    'Gateway aks-istio-ingress/external.web.example.com',
    'VirtualService aks-istio-ingress/external.web.example.com',
  ])

  for (const { path } of [web, api]) expect((await expose(path, [])).status).toBe(200)
  await until(
    async () => (await product.call('GET', HOST)).status,
    (status) => status === 404,
  )
  for (const { path } of [web, api])
    await until(
      async () => (await product.call<{ value: readonly PlacementView[] }>('GET', `${path}/placements`)).body.value[0],
      (placement) => placement?.objects.every(({ name }) => !name.includes('.exposed.')) ?? false,
    )
})

async function spec(path: string): Promise<ServiceSpec> {
  return (await product.call<ServiceSpec>('GET', path)).body
}
