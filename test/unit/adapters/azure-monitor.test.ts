import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countingQuery, kqlString } from '../../../src/adapters/azure-monitor/kql.ts'
import { onCluster } from '../../../src/adapters/azure-monitor/managed-prometheus.ts'
import { platformFilter } from '../../../src/adapters/azure-monitor/platform-filter.ts'
import { metricsSources } from '../../../src/adapters/metrics-sources.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { isManagedPrometheus, metricsSpec } from '../../../src/model/metrics.ts'
import type { MetricsSource, ValueSource } from '../../../src/ports/metrics.ts'
import { parseKql } from '../../../src/sandbox/emulators/azure-monitor/kql/parse.ts'
import { tokensOf } from '../../../src/sandbox/emulators/azure-monitor/kql/tokens.ts'
import { parseFilter } from '../../../src/sandbox/emulators/azure-monitor/metrics-filter.ts'
import { selectorsOf } from '../../../src/sandbox/emulators/prometheus/expression.ts'
import { parseExpression } from '../../../src/sandbox/emulators/prometheus/parse.ts'
import { virtualClock } from './virtual-clock.ts'

const ENDPOINT = 'https://shop-1a2b.westeurope.prometheus.monitor.azure.com'
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', "'", '\\', '\n', ')', '}', '|', ',', '=', 'a', '\u2028', '\u0000') }),
)
const SPAN = { fromMs: 0, toMs: 60_000, nowMs: 120_000 }

describe('a name in a query', () => {
  it('is one KQL string, whatever it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokensOf(kqlString(text))).toEqual([{ kind: 'string', text }])
        expect(kqlString(text)).toMatch(/^[\x20-\x7e]*$/)
      }),
    )
  })

  it('changes nothing of the shape of a query on logs', () => {
    const { logs } = metricsSpec.parse({ logs: { workspaceId: crypto.randomUUID(), versionDimension: 'release' } })
    if (!logs) throw new Error('no logs')
    const stepsOf = (name: string, version: string, roleName: string) => {
      const question = {
        service: { namespace: name, name },
        versions: { a: version },
        bad: { kind: 'errors' } as const,
      }
      const query = parseKql(countingQuery({ ...logs, roleName, where: { cluster: roleName } }, question, SPAN))
      return query.steps.map((step) =>
        JSON.stringify(step, (_, value) => (value?.kind === 'literal' ? typeof value.value : value)),
      )
    }
    const plain = stepsOf('web', 'v1', '{name}')
    fc.assert(
      fc.property(anyText, anyText, anyText, (name, version, role) => {
        expect(stepsOf(name, version, role)).toEqual(plain)
      }),
    )
  })

  it('is one value of a filter on platform metrics', () => {
    const versions = { versionDimension: 'Version', versionValue: '{version}' }
    const plain = fc.string({ unit: fc.constantFrom("'", ')', '(', ' and ', ' or ', ' eq ', 'x', '*') })
    fc.assert(
      fc.property(plain, (text) => {
        const question = { service: { namespace: 'shop', name: 'web' }, versions: { a: text, b: 'v1' } }
        const conditions = parseFilter(platformFilter({ metric: 'm', where: { Code: '500' } }, versions, question))
        expect([...(conditions?.keys() ?? [])]).toEqual(['code', 'version'])
        if (text !== '*') expect(conditions?.get('version')).toEqual([...new Set([text, 'v1'])])
      }),
    )
  })

  it('is one label of a selector: nothing leaves the cluster', () => {
    fc.assert(
      fc.property(anyText, (cluster) => {
        const [selector, ...others] = selectorsOf(parseExpression(onCluster('up{job="a"}', cluster, 'x')))
        expect(others).toEqual([])
        const matchers = selector?.matchers.map(({ label, operator, value }) => [label, operator, value])
        expect(matchers?.toSorted()).toEqual(
          [
            ['__name__', '=', 'up'],
            ['cluster', '=', cluster],
            ['job', '=', 'a'],
          ].toSorted(),
        )
      }),
    )
  })

  it('of more than one metric, or of none, is refused', () => {
    for (const selector of [
      '{job="a"}',
      'up{__name__="a"}',
      'up{job="a",__name__=~"b"}',
      'up or a',
      'up{a="b"} or c{d="e"',
    ]) {
      expect(() => onCluster(selector, 'east', 'Azure Monitor east'), selector).toThrow(/exactly one metric/)
    }
    expect(onCluster('up', 'east', 'x')).toBe('up{cluster="east"}')
  })
})

it('a query that names a metric within braces is refused, however the name is written', async () => {
  const { source, clock, sent } = await managed(() => Response.json({ status: 'success', data: NOTHING }))
  const ask = (query: string) => source.values(query, { fromMs: clock.now() - 60_000, toMs: clock.now() })
  for (const query of [
    'sum(up{"__name__"="z"})',
    'up{"other"}',
    "up{job='a', 'other'}",
    'up{`other`}',
    'up{"job"="a"}',
    'up{ # a comment\n __name__="z"}',
  ]) {
    await expect(ask(query), query).rejects.toThrow(/exactly one metric/)
  }
  expect(sent).toEqual([])
  await ask('up{job="a, \'b\'", path="__name__"}')
  expect(sent[0]?.query).toBe('up{cluster="east",job="a, \'b\'", path="__name__"}')
})
const NOTHING = { resultType: 'vector', result: [] }

interface Sent {
  readonly url: string
  readonly token: string | null
  readonly query: string | null
}

/** A source on managed Prometheus whose answers a test gives, with what was sent and how many tokens were asked for. */
async function managed(give: (sent: Sent) => Promise<Response> | Response, spec: object = {}) {
  const clock = virtualClock()
  const sent: Sent[] = []
  let tokens = 0
  const azure = {
    credential: {
      getToken: async () => {
        tokens += 1
        return { token: `token-${tokens}`, expiresOnTimestamp: clock.now() + 3_600_000 }
      },
    },
    fetch: async (input: string | URL | Request, init?: RequestInit) => {
      const one = {
        url: String(input),
        token: new Headers(init?.headers).get('authorization'),
        query: new URLSearchParams(String(init?.body)).get('query'),
      }
      sent.push(one)
      return give(one)
    },
  }
  const sources = metricsSources({ azure, addresses: { refusal: async () => undefined } }, clock)
  const body = { kubeconfig: { context: 'east' }, metrics: { azureMonitor: { endpoint: ENDPOINT } }, ...spec }
  const source = await sources.open({ name: 'east', spec: clusterSpec.parse(body) })
  return { source: source as MetricsSource & ValueSource, clock, sent, tokens: () => tokens, azure }
}

const empty = () => Response.json({ status: 'success', data: { resultType: 'matrix', result: [] } })

describe('the token of managed Prometheus', () => {
  it('is kept, and renewed five minutes before it ends', async () => {
    const { source, clock, sent, tokens } = await managed(empty)
    await source.samples('up', clock.now(), 1000)
    await clock.pass(50 * 60_000)
    await source.samples('up', clock.now(), 1000)
    expect(tokens()).toBe(1)
    await clock.pass(6 * 60_000)
    await source.samples('up', clock.now(), 1000)
    expect(sent.map(({ token }) => token)).toEqual(['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
    expect(sent[0]?.url).toBe(`${ENDPOINT}/api/v1/query`)
  })

  it('is asked for again once after a 401, and then it is refused', async () => {
    const { source, sent } = await managed(({ token }) =>
      token === 'Bearer token-1' ? new Response('', { status: 401 }) : empty(),
    )
    expect(await source.samples('up', 0, 1000)).toEqual([])
    expect(sent).toHaveLength(2)
    const never = await managed(() => new Response('', { status: 401 }))
    await expect(never.source.samples('up', 0, 1000)).rejects.toMatchObject({ kind: 'denied' })
    expect(never.sent).toHaveLength(2)
  })

  it('goes to no host but those below prometheus.monitor.azure.com', async () => {
    const refused = [
      'https://evil.example',
      'https://prometheus.monitor.azure.com',
      'https://xprometheus.monitor.azure.com',
      'https://a.prometheus.monitor.azure.com.evil.example',
      'https://a.prometheus.monitor.azure.com@evil.example',
      'https://user:pass@a.prometheus.monitor.azure.com',
      'https://a.prometheus.monitor.azure.com:8443',
      'http://a.prometheus.monitor.azure.com',
      'https://evil.example/a.prometheus.monitor.azure.com',
      'https://evil.example#a.prometheus.monitor.azure.com',
    ]
    for (const endpoint of refused) expect(isManagedPrometheus(endpoint), endpoint).toBe(false)
    expect(isManagedPrometheus(ENDPOINT)).toBe(true)
    for (const endpoint of refused.filter((url) => url.startsWith('https'))) {
      const opened = managed(empty, { metrics: { azureMonitor: { endpoint } } })
      await expect(opened, endpoint).rejects.toMatchObject({ kind: 'denied', reason: 'AddressRefused' })
    }
  })
})

describe('a workspace', () => {
  it('is asked one question at a time', async () => {
    const waiting: (() => void)[] = []
    const { source, clock, sent } = await managed(
      () => new Promise<Response>((resolve) => waiting.push(() => resolve(empty()))),
    )
    const both = Promise.all([source.samples('up', 0, 1000), source.samples('up', 0, 1000)])
    await clock.pass(1)
    expect(sent).toHaveLength(1)
    waiting.shift()?.()
    await clock.pass(1)
    expect(sent).toHaveLength(2)
    waiting.shift()?.()
    expect(await both).toEqual([[], []])
  })

  it.each([429, 422])('that answers %i is left in rest as long as it wants', async (status) => {
    const { source, clock, sent } = await managed(() =>
      sent.length === 1 ? new Response('', { status, headers: { 'retry-after': '30' } }) : empty(),
    )
    await expect(source.samples('up', 0, 1000)).rejects.toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 })
    await clock.pass(10_000)
    await expect(source.samples('up', 0, 1000)).rejects.toMatchObject({ kind: 'throttled', retryAfterMs: 20_000 })
    expect(sent).toHaveLength(1)
    await clock.pass(20_000)
    expect(await source.samples('up', 0, 1000)).toEqual([])
  })

  it('that does not answer is given up after ten seconds, and keeps nobody waiting longer', async () => {
    const { source, clock, sent } = await managed(() => new Promise<Response>(() => {}))
    const ask = () => source.samples('up', 0, 1000).catch((error: unknown) => error)
    const first = ask()
    await clock.pass(1000)
    const second = ask()
    await clock.pass(9000)
    expect(await first).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
    expect(sent).toHaveLength(2)
    await clock.pass(1000)
    expect(await second).toMatchObject({ kind: 'unavailable', reason: 'Timeout' })
  })

  it('has a cluster under its label, its AKS name, or ours', async () => {
    const queryOf = async (spec: object) => {
      const { source, sent } = await managed(empty, spec)
      await source.samples('up{job="a"}', 60_000, 30_000)
      return sent[0]?.query
    }
    const id = `/subscriptions/${crypto.randomUUID()}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks-east`
    const metrics = { azureMonitor: { endpoint: ENDPOINT, clusterLabel: 'prod' } }
    expect(await queryOf({})).toBe('up{cluster="east",job="a"}[30s]')
    expect(await queryOf({ kubeconfig: undefined, resourceId: id })).toBe('up{cluster="aks-east",job="a"}[30s]')
    expect(await queryOf({ kubeconfig: undefined, resourceId: id, metrics })).toBe('up{cluster="prod",job="a"}[30s]')
  })
})
