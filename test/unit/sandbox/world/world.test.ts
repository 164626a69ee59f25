import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memoryStorage, sqliteStorage } from '../../../../src/sandbox/storage.ts'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'
import { START_MS, split, WEB, webSpec, worldFixture } from './world-fixture.ts'

const DESTINATION = { reporter: 'destination', destination_service_name: 'web' }
const V2 = { ...DESTINATION, destination_version: 'v2' }

describe('the split of requests', () => {
  it('is by number of pods without a route', () => {
    const spec = webSpec({ versions: { v1: { pods: 3 }, v2: { pods: 1 } } })
    const { pass, requests } = worldFixture({}, spec)
    pass(100_000)
    expectWithin(requests(DESTINATION), 9_600, 10_400)
    expectWithin(requests(V2) / requests(DESTINATION), 0.23, 0.27)
  })

  it.each([
    [100, 0],
    [95, 5],
    [50, 50],
    [1, 2],
  ])('follows weights %i to %i whatever the number of pods', (v1, v2) => {
    const { pass, requests, setRoute } = worldFixture({ propagationMs: 0 })
    setRoute(split(v1, v2))
    pass(200_000)
    const [all, second] = [requests(DESTINATION), requests(V2)]
    const share = v2 / (v1 + v2)
    // Chi-square with one degree of freedom: 10.8 is exceeded once in a thousand.
    const deviation = (second - share * all) ** 2 / Math.max(1, all * share * (1 - share))
    expect(deviation).toBeLessThan(10.8)
  })

  it('changes one propagation delay after the write, neither before nor later', () => {
    const { pass, setRoute, series, requests } = worldFixture({ propagationMs: 5000 })
    setRoute(split(100, 0))
    pass(10_000)
    requests(DESTINATION)
    setRoute(split(0, 100))
    pass(10_000)
    const second = (fromMs: number, toMs: number) => countBetween(series('istio_requests_total', V2), fromMs, toMs)
    expect(second(5_000, 15_000)).toBe(0)
    expectWithin(second(15_000, 20_000), 400, 600)
  })

  it('gives each of two writes its own delay', () => {
    const { pass, setRoute, series } = worldFixture({ propagationMs: 3000, scrapeIntervalMs: 1000 })
    setRoute(split(100, 0))
    pass(5000)
    setRoute(split(0, 100))
    pass(1000)
    setRoute(split(100, 0))
    pass(6000)
    const second = countBetween(series('istio_requests_total', V2), 3000, 12_000)
    // The second write was in force for one second only.
    expectWithin(second, 70, 130)
  })
})

describe('a subset that nobody can serve', () => {
  it('answers its share with 503, seen by the source only, with an unknown destination', () => {
    const { pass, setRoute, series, requests } = worldFixture({ propagationMs: 0 })
    setRoute([...split(80, 0), { subset: 'v9', weight: 20, labels: undefined }])
    pass(100_000)
    const lost = { reporter: 'source', response_code: '503', destination_workload: 'unknown' }
    expectWithin(requests(lost) / requests({ reporter: 'source' }), 0.18, 0.22)
    expect(requests({ reporter: 'destination' })).toBe(requests({ reporter: 'source', response_code: '200' }))
    const labels = series('istio_requests_total', lost).map((one) => one.labels)
    expect(labels).toMatchObject([
      { response_flags: 'NC', destination_version: 'unknown', destination_service: 'web.shop.svc.cluster.local' },
    ])
  })

  it('is also one whose pods are all lost', () => {
    const { pass, setRoute, requests, world } = worldFixture({ propagationMs: 0 })
    setRoute(split(50, 50))
    world.putService(WEB, webSpec({ versions: { v1: {}, v2: { pods: 0 } } }))
    pass(20_000)
    const lost = requests({ reporter: 'source', response_code: '503', response_flags: 'UH' })
    expectWithin(lost / requests({ reporter: 'source' }), 0.45, 0.55)
  })
})

describe('behaviour', () => {
  it('fails the share of requests that it is told, of the one version', () => {
    const spec = webSpec({ versions: { v1: {}, v2: { errorPercent: 20, errorCode: 502 } } })
    const { pass, requests } = worldFixture({}, spec)
    pass(100_000)
    expectWithin(requests({ ...V2, response_code: '502' }) / requests(V2), 0.18, 0.22)
    expect(requests({ ...DESTINATION, destination_version: 'v1', response_code: '500' })).toBe(0)
  })

  it('fails in bursts on the clock', () => {
    const burst = { everyMs: 20_000, forMs: 5000, errorPercent: 80 }
    const { pass, series, requests } = worldFixture({}, webSpec({ versions: { v1: { burst } } }))
    pass(60_000)
    const failed = series('istio_requests_total', { ...DESTINATION, response_code: '500' })
    expect(countBetween(failed, 0, 5_000)).toBeGreaterThan(300)
    expect(countBetween(failed, 5_000, 20_000)).toBe(0)
    expectWithin(requests({ ...DESTINATION, response_code: '500' }) / requests(DESTINATION), 0.17, 0.23)
  })

  it('gives failed gRPC a status of its own, under HTTP 200', () => {
    const spec = webSpec({ protocol: 'grpc', versions: { v1: { errorPercent: 50 } } })
    const { pass, requests } = worldFixture({}, spec)
    pass(10_000)
    const failed = requests({
      ...DESTINATION,
      request_protocol: 'grpc',
      grpc_response_status: '13',
      response_code: '200',
    })
    expectWithin(failed / requests(DESTINATION), 0.4, 0.6)
  })

  it('changes what comes after the change and nothing before it', () => {
    const { pass, requests, world } = worldFixture({ scrapeIntervalMs: 10_000 })
    pass(5_000)
    world.putService(WEB, webSpec({ versions: { v1: { errorPercent: 100 }, v2: { errorPercent: 100 } } }))
    pass(5_000)
    expectWithin(requests({ ...DESTINATION, response_code: '500' }) / requests(DESTINATION), 0.4, 0.6)
  })

  it('shows callers outside the mesh to the destination only, and lets no route lead them', () => {
    const callers = [{ workload: 'cron', namespace: 'batch', meshed: false }]
    const { pass, requests, setRoute } = worldFixture(
      { propagationMs: 0 },
      webSpec({ demand: { requestsPerSecond: 100, callers } }),
    )
    setRoute(split(100, 0))
    pass(20_000)
    expect(requests({ reporter: 'source' })).toBe(0)
    const plain = requests({ ...V2, connection_security_policy: 'none', source_workload: 'unknown' })
    expectWithin(plain / requests(DESTINATION), 0.45, 0.55)
  })
})

describe('scrapes', () => {
  it('lie on a grid, one for each interval', () => {
    const { pass, series } = worldFixture({ scrapeIntervalMs: 15_000 })
    pass(61_000)
    const times = series('up').map(({ samples }) => samples.map(([time]) => time))
    const grid = [10, 25, 40, 55].map((s) => START_MS + s * 1000)
    expect(times).toEqual([grid, grid, grid, grid, grid])
  })

  it('end the series of a silent version with a marker, and its up is 0', () => {
    const { pass, series, world } = worldFixture()
    pass(3_000)
    world.putService(WEB, webSpec({ versions: { v1: {}, v2: { silent: true } } }))
    pass(3_000)
    const [pod] = world.pods(WEB).filter(({ version }) => version === 'v2')
    const up = series('up', { pod: pod?.name ?? '' }).map(({ samples }) => samples.map(([, value]) => value))
    expect(up).toEqual([[1, 1, 1, 0, 0, 0]])
    const requests = series('istio_requests_total', { ...DESTINATION, pod: pod?.name ?? '' })
    expect(requests.map(({ samples }) => samples.slice(-2).map(([, value]) => value === null))).toEqual([[false, true]])
  })

  it('go on counting what a silent version did when it speaks again', () => {
    const { pass, requests, world } = worldFixture()
    world.putService(WEB, webSpec({ versions: { v1: { silent: true } } }))
    pass(10_000)
    expect(requests(DESTINATION)).toBe(0)
    world.putService(WEB, webSpec({ versions: { v1: {} } }))
    pass(1_000)
    expectWithin(requests(DESTINATION), 950, 1_250)
  })

  it('find new pods with counters of their own after pods were lost', () => {
    const { pass, series, world } = worldFixture()
    pass(5_000)
    world.putService(WEB, webSpec({ versions: { v1: { pods: 0 }, v2: {} } }))
    pass(5_000)
    world.putService(WEB, webSpec())
    pass(5_000)
    const found = series('istio_requests_total', { ...DESTINATION, destination_version: 'v1' })
    expect(found).toHaveLength(4)
    expect(found.map(({ samples }) => samples.at(-1)?.[1] === null)).toEqual([true, true, false, false])
  })

  it('come late when told so, and all fail when told so', () => {
    const { pass, series, world } = worldFixture()
    pass(10_000)
    world.putCluster('east', { reachable: true, metrics: 'late', metricsDelayMs: 4_000 })
    expect(series('up').map(({ samples }) => samples.at(-1))).toContainEqual([START_MS + 6_000, 1])
    world.putCluster('east', { reachable: true, metrics: 'down', metricsDelayMs: 0 })
    pass(1_000)
    expect(series('up').map(({ samples }) => samples.at(-1)?.[1])).toEqual([0, 0, 0, 0, 0])
  })

  it('report cumulative buckets that never fall and end with the count', () => {
    const { pass, series } = worldFixture(
      {},
      webSpec({ versions: { v1: { pods: 1, latencyMs: 80, latencyP99Ms: 900 } } }),
    )
    pass(30_000)
    const buckets = series('istio_request_duration_milliseconds_bucket', DESTINATION)
    expect(buckets).toHaveLength(20)
    const counts = buckets.map(({ samples }) => samples.map(([, value]) => value ?? Number.NaN))
    for (const [index, row] of counts.entries()) {
      for (const [at, value] of row.entries()) {
        expect(value).toBeGreaterThanOrEqual(counts[index - 1]?.[at] ?? 0)
        expect(value).toBeGreaterThanOrEqual(row[at - 1] ?? 0)
      }
    }
    const [total] = series('istio_request_duration_milliseconds_count', DESTINATION)
    expect(counts.at(-1)).toEqual(total?.samples.map(([, value]) => value))
    const below = (le: string) => counts[buckets.findIndex(({ labels }) => labels.le === le)]?.at(-1) ?? 0
    const all = below('+Inf')
    // Half take up to 80 ms, 1 in 100 more than 900 ms.
    expectWithin(below('50') / all, 0.25, 0.4)
    expectWithin(below('100') / all, 0.5, 0.66)
    expectWithin(1 - below('1000') / all, 0.002, 0.02)
    const [sum] = series('istio_request_duration_milliseconds_sum', DESTINATION)
    // Mean of a lognormal: median times exp(sigma^2 / 2), sigma = ln(900/80)/2.326.
    expectWithin(
      (sum?.samples.at(-1)?.[1] ?? 0) / all / (80 * Math.exp((Math.log(900 / 80) / 2.326) ** 2 / 2)),
      0.9,
      1.1,
    )
  })
})

describe('single requests', () => {
  it('follow the route, and are counted with the rest', () => {
    const spec = webSpec({ demand: { requestsPerSecond: 0 }, versions: { v1: {}, v2: { errorPercent: 100 } } })
    const { pass, requests, setRoute, world } = worldFixture({ propagationMs: 0 }, spec)
    setRoute(split(75, 25))
    const results = Array.from({ length: 400 }, () => world.request(WEB))
    const second = results.filter((result) => result?.version === 'v2')
    expectWithin(second.length, 70, 130)
    expect(new Set(second.map((result) => result?.status))).toEqual(new Set([500]))
    pass(1_000)
    expect(requests(DESTINATION)).toBe(400)
    expect(requests({ ...V2, response_code: '500' })).toBe(second.length)
  })

  it('are answered 503 where no pod is', () => {
    const { setRoute, world } = worldFixture({ propagationMs: 0 })
    setRoute([{ subset: 'v9', weight: 1, labels: undefined }])
    expect(world.request(WEB)).toMatchObject({ version: undefined, pod: undefined, status: 503 })
    expect(world.request({ ...WEB, service: 'nobody' })).toBeUndefined()
  })
})

describe('determinism', () => {
  const run = (seed: number, peek: boolean) => {
    const fixture = worldFixture({ random: seededChance(seed).next })
    for (let second = 0; second < 30; second += 1) {
      fixture.pass(700)
      if (peek) fixture.world.advance()
      if (second % 10 === 0) fixture.setRoute(split(second, 50))
    }
    return JSON.stringify(fixture.series('istio_requests_total'))
  }

  it('the same seed and times give the same samples, however often one looks', () => {
    expect(run(3, true)).toBe(run(3, false))
  })

  it('another seed gives other samples', () => {
    expect(run(3, true)).not.toBe(run(4, true))
  })
})

describe('a restart', () => {
  it('keeps series, counters and settings on disk; the time between is a gap', () => {
    const folder = mkdtempSync(join(tmpdir(), 'world-'))
    const file = join(folder, 'world.db')
    const before = worldFixture({ storage: sqliteStorage(file) }, webSpec({ versions: { v1: { errorPercent: 5 } } }))
    before.pass(130_000)
    const samples = before.series('istio_requests_total', DESTINATION)
    const total = before.requests(DESTINATION)
    // No close: what a kill would leave.
    const after = worldFixture({ storage: sqliteStorage(file), now: () => START_MS + 190_500 })
    expect(after.series('istio_requests_total', DESTINATION)).toEqual(samples)
    expect(after.world.pods(WEB)).toEqual(before.world.pods(WEB))
    let nowMs = START_MS + 190_500
    const later = worldFixture({ storage: sqliteStorage(file), now: () => nowMs })
    nowMs += 10_000
    const grown = later.requests(DESTINATION) - total
    expectWithin(grown, 800, 1_200)
    const times = later.series('up').flatMap((series) => series.samples.map(([time]) => time - START_MS))
    expect(times.filter((time) => time > 130_000 && time < 190_500)).toEqual([])
    before.storage.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('carries totals over even when the scrapes that made them are no longer kept', () => {
    const storage = memoryStorage()
    const options = { storage, retentionMs: 60_000, scrapeIntervalMs: 5_000 }
    const before = worldFixture(options)
    for (let minute = 0; minute < 10; minute += 1) {
      before.pass(60_000)
      before.world.advance()
    }
    const rows = [...storage.table('world-scrapes-east').entries()].length
    expect(rows).toBeLessThan(60)
    const after = worldFixture({ ...options, now: before.now })
    expect(after.requests(DESTINATION)).toBe(before.requests(DESTINATION))
    expect(after.requests(DESTINATION)).toBeGreaterThan(55_000)
  })
})

describe('bounds', () => {
  it('keeps no more samples than the retention, and no more points than told', () => {
    const { pass, series, world } = worldFixture({ retentionMs: 300_000, maxPoints: 1_500 })
    for (let minute = 0; minute < 10; minute += 1) {
      pass(60_000)
      world.advance()
    }
    const [up] = series('up')
    expectWithin(up?.samples.length, 20, 130)
    expect(up?.samples.at(-1)?.[0]).toBe(START_MS + 600_000)
  })

  it('forgets pods that have been gone for longer', () => {
    const { pass, series, world } = worldFixture({ retentionMs: 60_000, scrapeIntervalMs: 10_000 })
    pass(10_000)
    world.putService(WEB, webSpec({ versions: { v1: {}, v2: { pods: 0 } } }))
    expect(series('up')).toHaveLength(5)
    for (let minute = 0; minute < 4; minute += 1) {
      pass(60_000)
      world.advance()
    }
    expect(series('up')).toHaveLength(3)
  })

  it('skips what is older than the retention after a long sleep', () => {
    const { pass, requests } = worldFixture({ retentionMs: 60_000 })
    pass(30 * 86_400_000)
    expectWithin(requests(DESTINATION), 5_500, 6_500)
  })
})

function expectWithin(value: number | undefined, least: number, most: number): void {
  expect(value).toBeGreaterThanOrEqual(least)
  expect(value).toBeLessThanOrEqual(most)
}

/** How much counters grew between two times, counted from START_MS. */
function countBetween(
  series: ReturnType<ReturnType<typeof worldFixture>['series']>,
  fromMs: number,
  toMs: number,
): number {
  const at = (samples: (typeof series)[number]['samples'], timeMs: number) =>
    samples.findLast(([time, value]) => value !== null && time <= START_MS + timeMs)?.[1] ?? 0
  return series.reduce((sum, { samples }) => sum + at(samples, toMs) - at(samples, fromMs), 0)
}
