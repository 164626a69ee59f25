import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClusterView } from '../../../src/http/views/cluster-view.ts'
import { SANDBOX_GROUP } from '../../../src/sandbox/identities.ts'
import { sandboxClusterId } from '../../../src/sandbox/managed-clusters.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

/** From an ARM id to a route on the cluster: the real SDKs, an Entra token from the identity endpoint, no kubeconfig. */

let product: Product
beforeAll(async () => {
  product = await startProduct('--empty')
  await product.call('PUT', '/teams/shop', { body: { namespaces: ['shop'], groups: [SANDBOX_GROUP] } })
})
afterAll(() => product.close())

interface Placements {
  readonly value: readonly { readonly cluster: string; readonly objects: readonly { readonly kind: string }[] }[]
}

test('a cluster by ARM id is registered, looked at, and written to', { timeout: 60_000 }, async () => {
  const resourceId = sandboxClusterId('east')
  const put = await product.call<ClusterView>('PUT', '/clusters/prod-east?wait=30s', { body: { resourceId } })
  expect([put.status, put.body.warnings]).toEqual([201, undefined])
  const { conditions, aks, detected } = put.body
  expect(conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    'AzureReady True Succeeded',
    'Reachable True Answers',
    'MeshReady True Found',
    'MetricsReady False NoSource',
  ])
  expect(aks).toMatchObject({
    provisioningState: 'Succeeded',
    entra: { enabled: true },
    mesh: { revisions: ['asm-1-30'], ingressGateways: [{ mode: 'External', enabled: true }] },
    secretsProvider: { rotation: true, pollInterval: '2m' },
  })
  expect(detected).toMatchObject({ provider: 'istio', revision: 'asm-1-30', kubernetesVersion: 'v1.34.2' })
  const access = await product.call('GET', '/clusters/prod-east/access')
  expect(access.body).toMatchObject({ allowed: true })
  await product.call('PUT', '/services/shop/web', {
    body: {
      team: 'shop',
      ports: [{ name: 'http', port: 80, protocol: 'http' }],
      versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
      initialVersion: 'v1',
      clusters: ['prod-east'],
    },
  })
  const placements = await until(
    async () => (await product.call<Placements>('GET', '/services/shop/web/placements')).body,
    ({ value }) => value[0]?.objects.length === 2,
  )
  expect(placements.value[0]?.objects.map(({ kind }) => kind).sort()).toEqual(['DestinationRule', 'VirtualService'])
})

test('what Azure does not know, and a second name for one cluster, are refused', async () => {
  const missing = await product.call('PUT', '/clusters/gone', { body: { resourceId: sandboxClusterId('gone') } })
  expect(missing).toMatchObject({ status: 422, body: { code: 'UnknownReference' } })
  const body = { resourceId: sandboxClusterId('east').toUpperCase().replace('SUBSCRIPTIONS', 'subscriptions') }
  const twice = await product.call('PUT', '/clusters/twice', { body })
  expect(twice).toMatchObject({ status: 409, body: { code: 'InUse', detail: expect.stringContaining('prod-east') } })
})

test('a cluster that is stopped, or that Meshwright may not read, is registered and says so', {
  timeout: 60_000,
}, async () => {
  const body = { resourceId: sandboxClusterId('west') }
  const put = async () => {
    await product.call('DELETE', '/clusters/prod-west')
    return product.call<ClusterView>('PUT', '/clusters/prod-west?wait=30s', { body })
  }
  const said = ({ conditions }: ClusterView) =>
    conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)
  await product.world('PATCH', '/azure/west', { properties: { powerState: { code: 'Stopped' } } })
  const stopped = await put()
  expect(stopped).toMatchObject({ status: 201, body: { warnings: [expect.stringContaining('is stopped')] } })
  expect(said(stopped.body)).toEqual([
    'AzureReady False ClusterStopped',
    'Reachable False ClusterStopped',
    'MetricsReady False NoSource',
  ])
  await product.world('PATCH', '/azure/west', { properties: { powerState: { code: 'Running' } }, denied: true })
  // What Azure said within the last second is not asked for again.
  const denied = await until(put, ({ body }) => body.warnings?.[0]?.includes('AuthorizationFailed') ?? false)
  expect(said(denied.body).slice(0, 2)).toEqual(['AzureReady Unknown ArmDenied', 'Reachable False ArmDenied'])
})
