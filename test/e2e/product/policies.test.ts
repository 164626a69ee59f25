import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { SLOW, webService } from './web-service.ts'

/** A policy on its way: over real services, reconcile and emulated clusters, and over a kill -9. */
let product: Product

beforeAll(async () => {
  product = await startProduct('--empty')
  await product.call('PUT', '/teams/shop', { body: { namespaces: ['shop'], groups: [] } })
  for (const cluster of ['east', 'west'])
    await product.call('PUT', `/clusters/${cluster}`, { body: { kubeconfig: { context: cluster } } })
}, 120_000)
afterAll(() => product.close())

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[]
  readonly users: readonly { readonly user: { readonly token: string } }[]
}

/** The timeout that the cluster's own route has. */
async function timeoutOn(cluster: string, service: string): Promise<unknown> {
  const config = JSON.parse(readFileSync(product.file.kubeconfig, 'utf8')) as Kubeconfig
  const server = config.clusters.find(({ name }) => name === cluster)?.cluster.server
  const path = `/apis/networking.istio.io/v1/namespaces/shop/virtualservices/${service}`
  const headers = { authorization: `Bearer ${config.users[0]?.user.token}` }
  const object = (await (await fetch(server + path, { headers })).json()) as {
    spec?: { http?: readonly { timeout?: string }[] }
  }
  return object.spec?.http?.[0]?.timeout
}

interface Policy {
  readonly generation: number
  readonly observedGeneration: number
  readonly conditions: readonly { readonly type: string; readonly reason: string }[]
}

it('a policy reaches every service on every cluster in waves, holds them to its guard rails, and goes again', {
  timeout: 180_000,
}, async () => {
  const names = ['one', 'two']
  for (const name of names) await webService(product, name)
  const timeouts = () =>
    Promise.all(['east', 'west'].flatMap((cluster) => names.map((name) => timeoutOn(cluster, name))))
  expect(new Set(await timeouts())).toEqual(new Set([undefined]))
  const body = { appliesTo: { team: 'shop' }, traffic: { timeout: '9s' }, guardRails: { maxTimeout: '30s' } }
  expect((await product.call('PUT', '/policies/limits', { body })).status).toBe(201)
  await until(timeouts, (seen) => seen.includes('9s'))
  await product.restart('kill')
  const done = await until(
    () => product.call<Policy>('GET', '/policies/limits'),
    ({ body: policy }) => policy.observedGeneration === policy.generation,
  )
  expect(done.body.conditions).toMatchObject([
    { type: 'Applied', reason: 'Done' },
    { type: 'GuardRailsKept', reason: 'Kept' },
  ])
  expect(await timeouts()).toEqual(['9s', '9s', '9s', '9s'])
  const events = await product.call<{
    value: readonly { type: string; data: { details: { placements: readonly string[] } } }[]
  }>('GET', '/events?subject=policies/limits')
  const waves = events.body.value.filter(({ type }) => type === 'io.meshwright.policy.wave')
  expect(waves.map(({ data }) => data.details.placements.length)).toEqual([1, 3])
  const effective = await product.call('GET', '/services/shop/one/effective?cluster=east')
  expect(effective.body).toMatchObject({ value: [{ origins: { '/traffic/timeout': 'policy limits' } }] })
  const broken = await product.call('PATCH', '/services/shop/one', { body: { traffic: { timeout: '1m' } } })
  expect(broken).toMatchObject({ status: 422, body: { code: 'GuardRail', errors: [{ pointer: '/traffic/timeout' }] } })
  expect((await product.call('DELETE', '/policies/limits')).status).toBe(202)
  await until(
    () => product.call('GET', '/policies/limits'),
    ({ status }) => status === 404,
  )
  expect(new Set(await timeouts())).toEqual(new Set([undefined]))
})

it("a service's own policy goes from cluster to cluster; a rollout comes and goes meanwhile, and its weights wait for nothing", {
  timeout: 180_000,
}, async () => {
  const web = await webService(product, 'three')
  const timeouts = () => Promise.all(['east', 'west'].map((cluster) => timeoutOn(cluster, 'three')))
  const body = { traffic: { timeout: '7s' }, waves: { bake: '1h' } }
  const { body: spec } = await product.call<object>('GET', web.path)
  const planned = await product.call<{ waves: unknown }>('POST', `${web.path}/plan`, { body: { ...spec, ...body } })
  expect(planned.body.waves).toEqual([['east'], ['west']])
  expect((await product.call('PATCH', web.path, { body })).status).toBe(200)
  await until(timeouts, (seen) => seen[0] === '7s')
  await product.restart('kill')
  const baking = await until(
    () => web.view(),
    ({ conditions }) => conditions.some(({ type, reason }) => type === 'Applied' && reason === 'Baking'),
  )
  expect(baking.spread).toMatchObject({ wave: 1, released: ['east'], waiting: [{ cluster: 'west', generation: 1 }] })
  const rollout = await web.start(SLOW)
  await until(
    () => web.shares(),
    (seen) => seen.east?.v2 === 20 && seen.west?.v2 === 20,
  )
  expect((await product.call('POST', `/rollouts/${rollout.id}/abort`)).status).toBe(200)
  await until(
    () => web.shares(),
    (seen) => seen.east?.v1 === 100 && seen.west?.v1 === 100,
  )
  expect(await timeouts()).toEqual(['7s', undefined])
  const effective = await product.call('GET', `${web.path}/effective`)
  expect(effective.body).toMatchObject({
    value: [{ current: true }, { cluster: 'west', generation: 1, current: false }],
  })
  expect((await product.call('PATCH', web.path, { body: { waves: 'off' } })).status).toBe(200)
  await until(timeouts, (seen) => seen[1] === '7s')
  expect((await web.view()).spread).toBeUndefined()
})
