import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import type { Plan } from '../../../src/reconcile/plan.ts'
import { planOnCluster, planService } from '../../../src/services/plan-service.ts'
import { putService } from '../../../src/services/put-service.ts'
import { AT, aCaller, aCluster, aTeam, by, spec } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

let store: MemoryStore
let metrics: FakeMetrics
const NOW = Date.parse(AT)
const clock = { now: () => NOW, sleep: async () => undefined }

beforeEach(() => {
  store = new MemoryStore()
  metrics = new FakeMetrics()
  store.put(aCluster('east'))
  store.put(aTeam())
})

/** Requests without mutual TLS, by the workload that the mesh took for their source. */
function calls(
  more: Readonly<Record<string, string>> = {},
  samples: readonly (readonly [number, number])[] = [
    [NOW - 600_000, 10],
    [NOW - 60_000, 52],
  ],
) {
  const labels = {
    reporter: 'destination',
    destination_service_namespace: 'shop',
    destination_service_name: 'web',
    connection_security_policy: 'none',
    source_workload: 'unknown',
    source_workload_namespace: 'unknown',
    ...more,
  }
  metrics.put('east', 'istio_requests_total', labels, [[NOW - 3_590_000, samples[0]?.[1] ?? 0], ...samples])
}

const STRICT = { clusters: ['east'], workload: { labels: { app: 'web' } }, security: { mtls: 'strict' } }
const put = (change: object = {}) =>
  putService({ store, clock, metrics }, 'shop', 'web', spec({ ...STRICT, ...change }), by())

describe('mutual TLS that becomes strict', () => {
  it('is taken where all callers come by it', async () => {
    calls({ connection_security_policy: 'mutual_tls' })
    expect(await put()).toMatchObject({ ok: true, value: { warnings: [] } })
  })

  it('is refused while callers come without it, and says who and how many', async () => {
    calls({ source_workload: 'batch', source_workload_namespace: 'legacy' })
    expect(await put()).toMatchObject({
      ok: false,
      failure: {
        code: 'PlainCallers',
        errors: [
          {
            pointer: '/security/mtls',
            reason: '42 requests to shop/web on east came without mutual TLS in the last 1h, of legacy/batch',
          },
        ],
      },
    })
    expect(store.writes).toBe(0)
  })

  it('is refused for callers that the mesh cannot name, and for a counter that began in the hour', async () => {
    calls({}, [[NOW - 60_000, 0]])
    expect(await put()).toMatchObject({ ok: true })
    metrics.stored.clear()
    metrics.put(
      'east',
      'istio_requests_total',
      {
        reporter: 'destination',
        destination_service_namespace: 'shop',
        destination_service_name: 'web',
        connection_security_policy: 'none',
      },
      [[NOW - 60_000, 3]],
    )
    expect(await put({ onDrift: 'report', security: { mtls: 'permissive' } })).toMatchObject({ ok: true })
    expect(await put()).toMatchObject({ failure: { errors: [{ reason: expect.stringContaining('3 requests') }] } })
  })

  it('is taken where that is waived by name, which the document keeps, and warns', async () => {
    calls()
    expect(await put({ waive: ['PlainCallers'] })).toMatchObject({
      ok: true,
      value: { warnings: [expect.stringContaining('PlainCallers is waived: 42 requests')] },
    })
    expect(store.get('service', 'shop/web').spec.waive).toEqual(['PlainCallers'])
  })

  it('is not looked at again once it is strict, nor where nothing is written', async () => {
    expect(await put()).toMatchObject({ ok: true })
    calls()
    metrics.queries.splice(0)
    expect(await put({ onDrift: 'report' })).toMatchObject({ ok: true, value: { warnings: [] } })
    expect(await put({ onDrift: 'report', mode: 'observe' })).toMatchObject({ ok: true })
    expect(metrics.queries).toEqual([])
    // Managed again, it would be.
    expect(await put()).toMatchObject({ failure: { code: 'PlainCallers' } })
  })

  it.each<[string, () => unknown, object]>([
    ['no requests to it are counted at all', () => metrics.stored.clear(), {}],
    [
      'connections to its TCP ports are not counted',
      () => calls({ connection_security_policy: 'mutual_tls' }),
      { ports: [{ name: 'db', port: 5432, protocol: 'tcp' }] },
    ],
  ])('is taken with a warning where nothing was measured: %s', async (why, given, change) => {
    given()
    const result = await put(change)
    if (!result.ok) throw new Error(result.failure.detail)
    expect(result.value.warnings).toEqual([expect.stringContaining(why)])
  })

  it.each([
    ['the cluster names no metrics', () => metrics.without.add('east')],
    ['late', () => Object.assign(metrics, { failure: new PortError('unavailable', 'Prometheus', 'late') })],
  ])('is taken with a warning where nobody knows: %s', async (why, given) => {
    given()
    const result = await put()
    if (!result.ok) throw new Error(result.failure.detail)
    expect(result.value.warnings).toEqual([
      `security.mtls: whether callers without mutual TLS call shop/web on east is not known: ${why}`,
    ])
  })
})

describe('a plan', () => {
  const plan = async (change: object | undefined) => {
    const deps = {
      store,
      clock,
      metrics,
      plan: async (_: unknown, cluster: string): Promise<Plan> => ({ cluster, changes: [], findings: [] }),
    }
    const body = change && spec({ ...STRICT, ...change })
    const planned = await planService(deps, 'shop', 'web', body, aCaller())
    if (!planned.ok) throw new Error(planned.failure.detail)
    return planned.value.plans.flatMap(({ findings }) => findings.map(({ code, severity }) => `${code} ${severity}`))
  }

  it('says what a PUT would be refused for, that it is waived, and of callers that came later', async () => {
    calls()
    expect(await plan({})).toEqual(['PlainCallers error'])
    expect(await plan({ waive: ['PlainCallers'] })).toEqual(['PlainCallers warning'])
    metrics.stored.clear()
    await put()
    expect(await plan(undefined)).toEqual([])
    calls()
    expect(await plan(undefined)).toEqual(['PlainCallers warning'])
    metrics.without.add('east')
    expect(await plan(undefined)).toEqual([])
    expect(await plan({ security: { mtls: 'permissive' } })).toEqual([])
  })
})

describe('a plan of a cluster', () => {
  const plan = async () => {
    const deps = {
      store,
      clock,
      metrics,
      plan: async (_: unknown, cluster: string): Promise<Plan> => ({ cluster, changes: [], findings: [] }),
    }
    const planned = await planOnCluster(deps, 'east', ['shop/web'])
    return planned.flatMap(({ plan }) => plan.findings.map(({ code, severity }) => `${code} ${severity}`))
  }

  it('tells of callers that strict mutual TLS refuses there, and of those it would once the cluster is managed', async () => {
    expect(await put()).toMatchObject({ ok: true })
    expect(await plan()).toEqual([])
    calls()
    expect(await plan()).toEqual(['PlainCallers warning'])
    const east = aCluster('east')
    store.put({ ...east, spec: { ...east.spec, mode: 'observe' } })
    expect(await plan()).toEqual(['PlainCallers error'])
    metrics.without.add('east')
    expect(await plan()).toEqual(['PlainCallersUnknown warning'])
  })
})
