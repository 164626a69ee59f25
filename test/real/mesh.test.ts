import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import type { Mesh } from './parts/mesh.ts'
import { type RealCluster, startRealCluster } from './parts/real-cluster.ts'
import { scratchFolder } from './parts/scratch.ts'
import { until } from './parts/wait.ts'

const SUBSETS = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: shop}
spec:
  host: web.shop.svc.cluster.local
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
`
const ROUTE = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.shop.svc.cluster.local]
  http:
  - route:
    - {destination: {host: web.shop.svc.cluster.local, subset: v1}, weight: 90}
    - {destination: {host: web.shop.svc.cluster.local, subset: v2}, weight: 10}
`

/** Those who ask for it get v2; the others v1, and v2 a copy of two requests in five. */
const PREVIEW_AND_MIRROR = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.shop.svc.cluster.local]
  http:
  - match: [{headers: {x-preview: {exact: "yes"}}}]
    route: [{destination: {host: web.shop.svc.cluster.local, subset: v2}}]
  - route: [{destination: {host: web.shop.svc.cluster.local, subset: v1}}]
    mirror: {host: web.shop.svc.cluster.local, subset: v2}
    mirrorPercentage: {value: 40}
`

const READER = { name: 'reader', namespace: 'partner', serviceAccount: 'reading' }

// Does the harness itself tell the truth? No part of Meshwright runs here.
describeReal('the real mesh', 'mesh', (parts) => {
  const dir = scratchFolder()
  let cluster: RealCluster
  let mesh: Mesh

  beforeAll(async () => {
    cluster = await startRealCluster({ parts, dir, clients: [READER] })
    mesh = cluster.mesh
  })

  afterAll(() => cluster?.stop())

  /** Requests so far as Prometheus counts them, by version and status. */
  async function counted(): Promise<Record<string, number>> {
    const query =
      'sum by (destination_version, response_code) (istio_requests_total{reporter="destination",destination_service_namespace="shop",destination_service_name="web"})'
    const samples = await cluster.prometheus.query(query)
    return Object.fromEntries(
      samples.map(({ labels, value }) => [`${labels.destination_version} ${labels.response_code}`, value]),
    )
  }

  /** Counts that have not changed for some scrapes: what came since `before`. */
  async function countedSince(before: Record<string, number>, total: number): Promise<Record<string, number>> {
    return until(`Prometheus has counted ${total} requests`, 15_000, async () => {
      const entries = Object.entries(await counted()).map(([key, value]) => [key, value - (before[key] ?? 0)] as const)
      const sum = entries.reduce((so, [, value]) => so + value, 0)
      if (sum < total) throw new Error(JSON.stringify(entries))
      return Object.fromEntries(entries.filter(([, value]) => value > 0))
    })
  }

  it('splits requests in half when there is no route', async () => {
    const share = await mesh.requestShare(300)
    expect(share.byStatus).toEqual({ 200: 300 })
    expect(share.byVersion.v1).toBeGreaterThan(120)
    expect(share.byVersion.v1).toBeLessThan(180)
  })

  it('speaks mutual TLS: the application sees the identity of each caller, and plain text comes to nobody', async () => {
    expect(await mesh.plainClient('v1').send()).toMatchObject({ status: 0, version: null })
    const callers = [mesh, mesh.client('reader')].map(async (client) => {
      const { status, caller } = await client.send()
      return [status, caller?.match(/URI=(spiffe:[^;]*)/)?.[1]]
    })
    expect(await Promise.all(callers)).toEqual([
      [200, 'spiffe://cluster.local/ns/shop/sa/client'],
      [200, 'spiffe://cluster.local/ns/partner/sa/reading'],
    ])
  })

  it('shows what came to the application, which fails and waits as a request asks for', async () => {
    const answer = await mesh.send({ authorization: 'Bearer none' }, { method: 'PUT', path: '/items?page=2' })
    const { host } = mesh
    expect(answer.seen).toEqual({ method: 'PUT', path: '/items?page=2', host, tries: 1, token: true })
    // By itself Istio tries again only what no server has begun with.
    expect(await mesh.send({ 'app-fail-tries': '1' })).toMatchObject({ status: 503, seen: { tries: 1, token: false } })
    expect((await mesh.send({ 'app-delay-ms': '300' })).durationMs).toBeGreaterThan(299)
  })

  it('follows a route of 90 to 10, and a load that runs meanwhile loses no request', async () => {
    const load = mesh.startLoad({ perSecond: 50, seconds: 60 })
    await cluster.api.admin.apply(SUBSETS)
    // Both at once cost a request now and then: a route to a cluster that is still warming answers 503.
    await until('the subsets have reached the client', 20_000, async () => {
      const clusters = await (await fetch(`${mesh.clientAdminUrl}/clusters`)).text()
      return ['v1', 'v2'].every((subset) => clusters.includes(`outbound|80|${subset}|${mesh.host}::10.77.0.1`))
    })
    await cluster.api.admin.apply(ROUTE)
    await until('the route has reached the client', 20_000, async () => {
      const share = await mesh.requestShare(100)
      return (share.byVersion.v2 ?? 0) < 25
    })
    const share = await mesh.requestShare(500)
    expect(share.byStatus).toEqual({ 200: 500 })
    expect(Math.abs((share.byVersion.v2 ?? 0) / 500 - 0.1)).toBeLessThan(0.05)
    await until('the load has had 100 answers', 20_000, () => load.answers.length >= 100)
    const answers = await load.stop()
    expect(answers.filter((one) => one.status !== 200)).toEqual([])
  })

  it('counts in Prometheus what was answered, by version and status', async () => {
    await mesh.behave('v2', { failShare: 0.2 })
    const before = await settled(counted)
    const load = mesh.startLoad({ perSecond: 100, seconds: 60 })
    await until('v2 has failed ten times', 60_000, () => load.answers.filter((one) => one.status === 500).length >= 10)
    const answers = await load.stop()
    await mesh.behave('v2', {})
    const expected: Record<string, number> = {}
    for (const { version, status } of answers)
      expected[`${version} ${status}`] = (expected[`${version} ${status}`] ?? 0) + 1
    expect(await countedSince(before, answers.length)).toEqual(expected)
    expect(expected['v1 500']).toBeUndefined()
    expect((expected['v2 500'] ?? 0) / ((expected['v2 200'] ?? 0) + (expected['v2 500'] ?? 0))).toBeCloseTo(0.2, 1)
  })

  it('has latencies by bucket edges in milliseconds', async () => {
    const requests = 'sum(istio_requests_total{destination_version="v1"})'
    const timed = 'sum(istio_request_duration_milliseconds_count{destination_version="v1"})'
    const upTo = (le: number) => `sum(istio_request_duration_milliseconds_bucket{destination_version="v1",le="${le}"})`
    // Envoy merges its histograms every five seconds only: they lag behind the counters.
    const inStep = () =>
      until('latencies have caught up', 20_000, async () => (await value(requests)) === (await value(timed)))
    await inStep()
    const [fast, all] = [await value(upTo(250)), await value(upTo(500))]
    await mesh.behave('v1', { delayMs: 300 })
    const share = await mesh.requestShare(40)
    await mesh.behave('v1', {})
    await until('the requests are counted', 10_000, async () => (await value(requests)) > all)
    await inStep()
    expect([await value(upTo(250)), await value(upTo(500))]).toEqual([fast, all + (share.byVersion.v1 ?? 0)])
  })

  it('copies requests without an answer of the copy, and matches headers', async () => {
    await cluster.api.admin.apply(PREVIEW_AND_MIRROR)
    const PREVIEW = { 'x-preview': 'yes' }
    await until('both routes have reached the client', 20_000, async () => {
      const [asked, others] = [await mesh.requestShare(20, PREVIEW), await mesh.requestShare(20)]
      return asked.byVersion.v2 === 20 && others.byVersion.v1 === 20
    })
    const before = await settled(() => mesh.received('v2'))
    const share = await mesh.requestShare(500)
    expect(share).toMatchObject({ byVersion: { v1: 500 }, byStatus: { 200: 500 } })
    const after = await settled(() => mesh.received('v2'))
    expect(Math.abs((after - before) / 500 - 0.4)).toBeLessThan(0.1)
    expect((await mesh.requestShare(20, PREVIEW)).byVersion).toEqual({ v2: 20 })
  })

  async function value(promql: string): Promise<number> {
    const [sample] = await cluster.prometheus.query(promql)
    return sample?.value ?? Number.NaN
  }

  /** Asks until two answers more than a scrape apart are the same. */
  async function settled<T>(ask: () => Promise<T>): Promise<T> {
    let last = { at: performance.now(), value: await ask() }
    return until('the numbers stand still', 15_000, async () => {
      const value = await ask()
      if (JSON.stringify(value) !== JSON.stringify(last.value)) last = { at: performance.now(), value }
      return performance.now() - last.at > 2_500 ? { value } : null
    }).then((end) => end.value)
  }
})
