import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { checkMetrics } from '../../../src/clusters/check-metrics.ts'
import { scrapeSettings } from '../../../src/clusters/scrape-settings.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { aCluster, aService } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { SECOND, T0 } from '../rollouts/fixture.ts'

const azureMonitor = { endpoint: 'https://shop.westeurope.prometheus.monitor.azure.com' }
let store: MemoryStore
let metrics: FakeMetrics
beforeEach(() => {
  store = new MemoryStore()
  metrics = new FakeMetrics()
  metrics.put('east', 'up', { job: 'nodes' }, [[T0 - SECOND, 1]])
  store.put(withMetrics({ azureMonitor }))
  store.put(aService())
  store.put(aService({ namespace: 'pay', name: 'web' }))
  store.put(aService({ name: 'api' }))
})

function withMetrics(of: unknown) {
  return { ...aCluster('east'), spec: clusterSpec.parse({ kubeconfig: { context: 'east' }, metrics: of }) }
}

function check() {
  const clock = { now: () => T0, sleep: async () => undefined }
  return checkMetrics({ store, clock, metrics }, 'east')
}

describe('a cluster whose mesh managed Prometheus does not scrape', () => {
  it('gets the settings that scrape the namespaces of its services, by their annotations', async () => {
    const report = await check()
    expect(report).toMatchObject({ ok: true, value: { ready: false, reason: 'MeshNotScraped' } })
    expect(report.ok && report.value.message).toContain('GET /clusters/east/metrics gives the ConfigMap')
    const configMap = parse((report.ok && report.value.fix?.configMap) || '')
    expect(configMap).toMatchObject({
      kind: 'ConfigMap',
      metadata: { name: 'ama-metrics-settings-configmap', namespace: 'kube-system' },
    })
    expect(configMap.data['pod-annotation-based-scraping']).toBe('podannotationnamespaceregex = "pay|shop"')
    expect(configMap.data).not.toHaveProperty('prometheus-collector-settings')
  })

  it('gets its own cluster label where it has one', async () => {
    store.put(withMetrics({ azureMonitor: { ...azureMonitor, clusterLabel: 'prod-east' } }))
    const report = await check()
    const configMap = parse((report.ok && report.value.fix?.configMap) || '')
    expect(configMap.data['prometheus-collector-settings']).toBe('cluster_alias = "prod-east"')
  })

  it('gets none while no service is on it, or with another Prometheus', async () => {
    store.put(withMetrics({ prometheus: { url: 'http://a.test' } }))
    expect(await check()).toEqual({ ok: true, value: expect.not.objectContaining({ fix: expect.anything() }) })
    store.put(withMetrics({ azureMonitor }))
    for (const key of ['shop/web', 'pay/web', 'shop/api']) store.drop('service', key)
    expect(await check()).toEqual({ ok: true, value: expect.not.objectContaining({ fix: expect.anything() }) })
  })
})

it('a cluster whose managed Prometheus is off is told so, and nothing is to be applied', async () => {
  metrics.stored.clear()
  const entra = { enabled: true, azureRbac: true, localAccountsDisabled: true }
  const aks = {
    provisioningState: 'Succeeded',
    location: 'westeurope',
    isPrivate: false,
    entra,
    azureMonitorMetrics: false,
  }
  store.put({ ...withMetrics({ azureMonitor }), aks })
  const report = await check()
  expect(report).toMatchObject({ ok: true, value: { ready: false, reason: 'ManagedPrometheusOff' } })
  expect(report.ok && report.value.fix).toBeUndefined()
})

it('a cluster whose mesh is scraped is ready, and nothing is to be applied', async () => {
  metrics.put('east', 'istio_requests_total', { reporter: 'destination' }, [[T0 - SECOND, 7]])
  const message = 'The metrics source answers and has targets.'
  expect(await check()).toEqual({ ok: true, value: { ready: true, reason: 'Answers', message } })
})

it('a cluster that is not there is not found', async () => {
  store.drop('cluster', 'east')
  expect(await check()).toMatchObject({ ok: false, failure: { code: 'NotFound' } })
})

it('no cluster label breaks out of the settings', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (alias) => {
      const { data } = parse(scrapeSettings(['shop'], alias))
      expect(Object.keys(data)).toHaveLength(5)
      const [, text = ''] = /^cluster_alias = (".*")$/.exec(data['prometheus-collector-settings']) ?? []
      expect(JSON.parse(text)).toBe(alias)
    }),
  )
})
