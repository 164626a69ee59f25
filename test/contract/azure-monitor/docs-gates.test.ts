import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { istio } from '../../../src/mesh/istio/istio.ts'
import { withReadyQueries } from '../../../src/mesh/ready-gates.ts'
import { type GateSpec, gateKind, hasQueries, type QueryGate, queriesOf } from '../../../src/model/gate.ts'
import { rolloutRequest } from '../../../src/model/rollout.ts'
import type { MetricsSources } from '../../../src/ports/metrics.ts'
import { queryProblems } from '../../../src/ports/query-problems.ts'
import { askValue, countByQueries, type QueryCase } from '../../../src/rollouts/ask-queries.ts'
import { windowCounter } from '../../../src/rollouts/count-window.ts'
import { azureMonitorHosts, SANDBOX_PROMETHEUS, SANDBOX_WORKSPACE } from '../../../src/sandbox/azure-monitor-hosts.ts'
import { routeByHost } from '../../../src/sandbox/transports/wire.ts'
import { split, webSpec, worldFixture } from '../../unit/sandbox/world/world-fixture.ts'
import { azureOn, east, sourcesOn } from './azure.ts'

const MINUTE = 60_000
const SERVICE = { namespace: 'shop', name: 'web' }
const VERSIONS = { v1: 'v1', v2: 'v2' }

/** The gates with queries of docs/metrics.md. */
const text = readFileSync(join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8')
const GATES = [...text.matchAll(/```json\n(.*?)```/gs)]
  .map(([, json = '']) => JSON.parse(json) as object)
  .flatMap((body): readonly GateSpec[] => ('candidate' in body ? (rolloutRequest.parse(body).gates ?? []) : []))
  .flatMap((gate) => (hasQueries(gate) ? [ready(gate)] : []))

function ready(gate: QueryGate): QueryGate {
  const found = gate.kind === 'counts' ? withReadyQueries(gate) : gate
  if ('field' in found) throw new Error(found.reason)
  return found
}

function named(name: string): QueryGate {
  const gate = GATES.find((one) => one.name === name)
  if (!gate) throw new Error(`docs/metrics.md has no gate ${name}`)
  return gate
}

let sources: MetricsSources
let casesOf: (gate: QueryGate) => Promise<QueryCase>
let window: { fromMs: number; toMs: number; nowMs: number; notBeforeMs: number }

beforeAll(async () => {
  const versions = { v1: { latencyMs: 20 }, v2: { errorPercent: 20, latencyMs: 20 } }
  const { world, pass, setRoute, now } = worldFixture({ propagationMs: 0 }, webSpec({ versions }))
  // Another cluster in the same workspaces, whose requests are none of ours.
  world.putCluster('west')
  world.putService({ cluster: 'west', namespace: 'shop', service: 'web' }, webSpec({ versions }))
  setRoute(split(80, 20))
  pass(10 * MINUTE)
  const { azure } = await azureOn((checkToken) => routeByHost(azureMonitorHosts({ world, now, checkToken })))
  const sleep = (_: number, signal?: AbortSignal) =>
    new Promise<void>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  sources = sourcesOn(azure, { now, sleep })
  const cluster = east({
    azureMonitor: { endpoint: `https://${SANDBOX_PROMETHEUS}` },
    logs: { workspaceId: SANDBOX_WORKSPACE },
  })
  casesOf = async ({ from }) => {
    const source = await sources.openValues(cluster, from ?? 'mesh')
    if (!source) throw new Error('no source')
    return { source, service: SERVICE, cluster: 'east', versions: VERSIONS, stable: 'v1' }
  }
  const toMs = Math.floor((now() - MINUTE) / MINUTE) * MINUTE
  window = { fromMs: toMs - 5 * MINUTE, toMs, nowMs: now(), notBeforeMs: 0 }
  builtIn = async () => {
    const mesh = await sources.open(cluster)
    if (!mesh) throw new Error('no source')
    const labels = { label: 'destination_version', values: VERSIONS } as const
    const counts = await windowCounter(mesh, istio, SERVICE)({ kind: 'errors', limitPercent: 1 }, labels, window)
    return counts.ok ? counts.byVersion : {}
  }
})
let builtIn: () => Promise<Readonly<Record<string, { good: number; bad: number }>>>

async function counted(gate: QueryGate) {
  if (gate.kind !== 'counts') throw new Error(`${gate.name} counts nothing`)
  const counts = await countByQueries(await casesOf(gate), gate, window)
  return counts.ok ? counts.byVersion : counts
}

async function valued(gate: QueryGate): Promise<number> {
  if (gate.kind !== 'value') throw new Error(`${gate.name} is no value`)
  const answer = await askValue(await casesOf(gate), gate, 'v2', window)
  return answer.ok ? answer.value : Number.NaN
}

describe('the gates with queries of docs/metrics.md', () => {
  it('have queries that can be asked', async () => {
    expect(GATES.map(gateKind)).toEqual([
      'refused',
      'p99',
      'slow-checkouts from logs',
      'p95 from logs',
      'gateway-istio-errors',
      'gateway-istio-latency',
    ])
    expect(await queryProblems(sources, GATES)).toEqual([])
    expect(GATES.flatMap((gate) => Object.keys(queriesOf(gate)))).toHaveLength(10)
  })

  it('count what the built-in gate counts, but for what increase() guesses', async () => {
    const [own, raw] = [await counted(named('refused')), await builtIn()]
    for (const version of ['v1', 'v2']) {
      const [{ good, bad }, mine] = [raw[version] ?? { good: 0, bad: 0 }, (own as typeof raw)[version]]
      expect(good + bad).toBeGreaterThan(1000)
      expect(((mine?.good ?? 0) + (mine?.bad ?? 0)) / (good + bad)).toBeCloseTo(1, 1)
      expect(Math.abs((mine?.bad ?? 0) - bad)).toBeLessThan(0.1 * bad + 1)
    }
  })

  it('count every logged request once', async () => {
    const raw = await builtIn()
    const own = await counted(named('slow-checkouts'))
    for (const version of ['v1', 'v2']) {
      const { good = 0, bad = 0 } = raw[version] ?? {}
      expect(own).toMatchObject({ [version]: { good: good + bad, bad: 0 } })
    }
  })

  it('see values where there are requests', async () => {
    expect(await valued(named('p99'))).toBeGreaterThan(10)
    expect(await valued(named('p99'))).toBeLessThan(800)
    expect(await valued(named('p95'))).toBeGreaterThan(10)
    expect(await valued(named('p95'))).toBeLessThan(2000)
  })

  it('are blind where the mesh shows nothing of the kind', async () => {
    expect(await counted(named('gateway-istio-errors'))).toMatchObject({ ok: false, reason: 'NoData' })
  })
})
