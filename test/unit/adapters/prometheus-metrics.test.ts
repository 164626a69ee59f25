import { describe, expect, it } from 'vitest'
import { metricsSources } from '../../../src/adapters/metrics-sources.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { AddressPolicy } from '../../../src/ports/address-policy.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { MetricsSource } from '../../../src/ports/metrics.ts'
import { virtualClock } from './virtual-clock.ts'

const allowed = { refusal: async () => undefined }
const specOf = (metrics: unknown) => clusterSpec.parse({ kubeconfig: { context: 'east' }, metrics })
const prometheus = specOf({ prometheus: { url: 'http://prometheus.test/base/' } })
const answer = (data: unknown) => Response.json({ status: 'success', data })
const error = (errorType: string, text: string, status: number) =>
  Response.json({ status: 'error', errorType, error: text }, { status })

function sourcesOver(fetch: typeof globalThis.fetch, addresses: AddressPolicy, clock: Clock = virtualClock()) {
  const credential = { getToken: () => Promise.reject(new Error('no token is needed')) }
  return metricsSources({ azure: { credential, fetch }, addresses }, clock)
}

async function sourceOf(fetch: typeof globalThis.fetch, clock = virtualClock()): Promise<MetricsSource> {
  const source = await sourcesOver(fetch, allowed, clock).open({ name: 'east', spec: prometheus })
  if (source === undefined) throw new Error('no source')
  return source
}

describe('samples', () => {
  it('come from an instant query of a range selector, sent as a form that follows no redirect', async () => {
    const asked: [string, RequestInit][] = []
    const source = await sourceOf(async (url, init) => {
      asked.push([String(url), init ?? {}])
      return answer({ resultType: 'matrix', result: [] })
    })
    await source.samples('up{job="a"}', 1_700_000_060_250, 90_000)
    await source.samples('up', 1_700_000_060_000, 1500)
    expect(asked[0]?.[0]).toBe('http://prometheus.test/base/api/v1/query')
    expect(asked[0]?.[1]).toMatchObject({ method: 'POST', redirect: 'manual' })
    const forms = asked.map(([, { body }]) => Object.fromEntries(new URLSearchParams(String(body))))
    expect(forms[0]).toMatchObject({ query: 'up{job="a"}[90s]', time: '1700000060.250' })
    expect(forms[1]).toMatchObject({ query: 'up[1500ms]' })
  })

  it('are read whatever they are, and those on the left edge left out', async () => {
    const values = [
      [30, '1'],
      [45, 'NaN'],
      [50, '+Inf'],
      [55.5, '-Inf'],
      [60, '1e+21'],
    ]
    const result = [
      { metric: { a: 'b' }, values },
      { metric: { native: 'histogram' }, histograms: [] },
    ]
    const source = await sourceOf(async () => answer({ resultType: 'matrix', result }))
    expect(await source.samples('a', 60_000, 30_000)).toEqual([
      {
        labels: { a: 'b' },
        samples: [
          [45_000, Number.NaN],
          [50_000, Infinity],
          [55_500, -Infinity],
          [60_000, 1e21],
        ],
      },
      { labels: { native: 'histogram' }, samples: [] },
    ])
  })
})

describe('an answer that is none', () => {
  const html = (status: number) => new Response('<html>sign in</html>', { status })
  it.each([
    ['bad data', () => error('bad_data', 'parse error', 400), 'invalid'],
    ['too dear', () => error('execution', 'query processing would load too many samples', 422), 'throttled'],
    ['too many', () => new Response('', { status: 429, headers: { 'retry-after': '7' } }), 'throttled'],
    ['timed out', () => error('timeout', 'query timed out', 503), 'unavailable'],
    ['forbidden', () => html(403), 'denied'],
    ['not found', () => html(404), 'invalid'],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: '/' } }), 'unavailable'],
    ['a page', () => html(200), 'unavailable'],
    ['cut short', () => new Response('{"status":"success","data":{"resul'), 'unavailable'],
    ['a vector', () => answer({ resultType: 'vector', result: [] }), 'unavailable'],
    ['an error with status 200', () => error('internal', 'x', 200), 'unavailable'],
    [
      'another form',
      () => answer({ resultType: 'matrix', result: [{ metric: {}, values: [['1', 2]] }] }),
      'unavailable',
    ],
    ['empty', () => new Response(''), 'unavailable'],
  ] as const)('because it is %s', async (_, give, kind) => {
    const source = await sourceOf(async () => give())
    await expect(source.samples('a', 60_000, 30_000)).rejects.toMatchObject({ kind, system: 'Prometheus east' })
  })

  it('because nobody answers', async () => {
    const refused = new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) })
    const source = await sourceOf(() => Promise.reject(refused))
    await expect(source.samples('a', 0, 1000)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'ConnectionRefused',
    })
  })

  it('because it does not end', async () => {
    let cancelled = false
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(4 * 1024 * 1024)),
      cancel: () => {
        cancelled = true
      },
    })
    const source = await sourceOf(async () => new Response(endless))
    await expect(source.samples('a', 0, 1000)).rejects.toMatchObject({ kind: 'unavailable', reason: 'TooLarge' })
    expect(cancelled).toBe(true)
  })

  it('because it takes more than ten seconds', async () => {
    const clock = virtualClock()
    const signals: (AbortSignal | null | undefined)[] = []
    const source = await sourceOf((_, init) => {
      signals.push(init?.signal)
      return new Promise(() => {})
    }, clock)
    const failure = source.samples('a', 0, 1000).catch((error: unknown) => error)
    await clock.pass(10_000)
    expect(await failure).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
    expect(signals[0]?.aborted).toBe(true)
  })
})

describe('a source', () => {
  const fetch = () => Promise.reject(new Error('not to be called'))
  const metrics = sourcesOver(fetch, { refusal: async () => 'it is bad' })

  it('is there only when the cluster names one whose address may be called', async () => {
    expect(await metrics.open({ name: 'east', spec: specOf(undefined) })).toBeUndefined()
    await expect(metrics.open({ name: 'east', spec: prometheus })).rejects.toMatchObject({
      kind: 'denied',
      reason: 'AddressRefused',
    })
  })

  it('has the timing of its kind, or that of the cluster', () => {
    const endpoint = 'https://a.westeurope.prometheus.monitor.azure.com'
    expect(metrics.timing(specOf({ azureMonitor: { endpoint } }))).toEqual({ delayMs: 120_000, everyMs: 60_000 })
    expect(metrics.timing(prometheus)).toEqual({ delayMs: 30_000, everyMs: 10_000 })
    const own = specOf({ prometheus: { url: 'http://a.test' }, delay: '1s', every: '2s' })
    expect(metrics.timing(own)).toEqual({ delayMs: 1000, everyMs: 2000 })
  })
})
