import { describe, expect, it } from 'vitest'
import { istioDefinitions } from '../../../../src/sandbox/emulators/kubernetes/istio-definitions.ts'
import { kubernetesEmulator } from '../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../../src/sandbox/storage.ts'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'
import { clusterPrometheus, connectCluster } from '../../../../src/sandbox/world/connect-cluster.ts'
import { istioRoutes } from '../../../../src/sandbox/world/istio-routes.ts'
import { createWorld } from '../../../../src/sandbox/world/world.ts'
import { START_MS, WEB, webSpec } from './world-fixture.ts'

function sandbox() {
  let nowMs = START_MS
  const context = { now: () => nowMs, random: seededChance(1).next, storage: memoryStorage() }
  const kubernetes = kubernetesEmulator(context, { tokens: {} })
  kubernetes.seed(istioDefinitions())
  const routes = istioRoutes({ list: (_, apiVersion, kind) => kubernetes.list(apiVersion, kind) })
  const world = createWorld({ ...context, routes, propagationMs: 200 })
  world.putCluster('east')
  connectCluster(world, 'east', kubernetes)
  world.putService(WEB, webSpec())
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { kubernetes, world, pass, now: context.now, prometheus: clusterPrometheus(world, 'east', context.now) }
}

const destination = (subset: string, weight: number) => ({ destination: { host: 'web', subset }, weight })
const subset = (version: string) => ({ name: version, labels: { version } })

function istioObjects(v1: number, v2: number) {
  const metadata = { name: 'web', namespace: 'shop' }
  const apiVersion = 'networking.istio.io/v1'
  const subsets = [subset('v1'), subset('v2')]
  const http = [{ route: [destination('v1', v1), destination('v2', v2)] }]
  return [
    { apiVersion, kind: 'DestinationRule', metadata, spec: { host: 'web', subsets } },
    { apiVersion, kind: 'VirtualService', metadata, spec: { hosts: ['web'], http } },
  ]
}

describe('a cluster of the world and its Kubernetes', () => {
  it('has the world’s services, deployments, ready pods and endpoints', () => {
    const { kubernetes } = sandbox()
    const pods = kubernetes.list('v1', 'Pod', 'shop')
    expect(pods).toHaveLength(4)
    expect(kubernetes.list('apps/v1', 'Deployment', 'shop').map(({ metadata }) => metadata.name)).toEqual([
      'web-v1',
      'web-v2',
    ])
    expect(kubernetes.get('v1', 'Service', 'shop', 'web')).toMatchObject({ spec: { selector: { app: 'web' } } })
    const slice = kubernetes.get('discovery.k8s.io/v1', 'EndpointSlice', 'shop', 'web-sandbox')
    expect(slice).toMatchObject({ metadata: { labels: { 'kubernetes.io/service-name': 'web' } } })
    expect(slice?.endpoints).toHaveLength(4)
  })

  it('loses pods with the world, and nothing that the world did not put there', () => {
    const { kubernetes, world } = sandbox()
    kubernetes.seed([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'own', namespace: 'shop' }, spec: {} }])
    world.putService(WEB, webSpec({ versions: { v1: { pods: 1 } } }))
    expect(kubernetes.list('v1', 'Pod', 'shop')).toHaveLength(1)
    expect(kubernetes.list('apps/v1', 'Deployment', 'shop')).toHaveLength(1)
    expect(kubernetes.list('v1', 'Service', 'shop').map(({ metadata }) => metadata.name)).toEqual(['own', 'web'])
  })

  it('leads the requests along the routes that are written there, as Prometheus shows', async () => {
    const { kubernetes, pass, now, prometheus, world } = sandbox()
    kubernetes.seed(istioObjects(100, 0))
    pass(10_000)
    kubernetes.seed(istioObjects(75, 25))
    pass(20_000)
    const total = 'istio_requests_total{reporter="destination",destination_service_name="web"}'
    const query = `sum by (destination_version) (increase(${total}[19s]))`
    const url = new URL(`http://prometheus/api/v1/query?${new URLSearchParams({ query, time: String(now() / 1000) })}`)
    const answer = await prometheus({ method: 'GET', url, headers: {}, body: new Uint8Array() })
    const { data } = JSON.parse(String(answer.body))
    const found = Object.fromEntries(
      data.result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => [
        metric.destination_version,
        Number(value[1]),
      ]),
    )
    expect(found.v2 / (found.v1 + found.v2)).toBeGreaterThan(0.2)
    expect(found.v2 / (found.v1 + found.v2)).toBeLessThan(0.3)
    world.putCluster('east', { reachable: true, metrics: 'unavailable', metricsDelayMs: 0 })
    expect((await prometheus({ method: 'GET', url, headers: {}, body: new Uint8Array() })).status).toBe(503)
  })
})
