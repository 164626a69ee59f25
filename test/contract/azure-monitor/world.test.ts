import { describe, expect, it } from 'vitest'
import { istio } from '../../../src/mesh/istio/istio.ts'
import type { CountsSource } from '../../../src/ports/metrics.ts'
import { type CountedWindow, windowCounter } from '../../../src/rollouts/count-window.ts'
import { azureMonitorHosts, SANDBOX_PROMETHEUS, SANDBOX_WORKSPACE } from '../../../src/sandbox/azure-monitor-hosts.ts'
import { routeByHost } from '../../../src/sandbox/transports/wire.ts'
import { split, webSpec, worldFixture } from '../../unit/sandbox/world/world-fixture.ts'
import { azureOn, east, sourcesOn } from './azure.ts'

const MINUTE = 60_000
const SERVICE = { namespace: 'shop', name: 'web' }
const VERSIONS = { v1: 'v1', v2: 'v2' }
const METRICS = {
  azureMonitor: { endpoint: `https://${SANDBOX_PROMETHEUS}` },
  logs: { workspaceId: SANDBOX_WORKSPACE, where: { 'k8s.cluster.name': 'east', 'k8s.namespace.name': '{namespace}' } },
  platform: {
    resourceId: `/subscriptions/${SANDBOX_WORKSPACE}/resourceGroups/rg/providers/Microsoft.ServiceNetworking/trafficControllers/east`,
    namespace: 'Microsoft.ServiceNetworking/trafficControllers',
    region: 'westeurope',
    all: { metric: 'BackendHTTPResponseStatus' },
    bad: { metric: 'BackendHTTPResponseStatus', where: { HttpResponseCode: ['500', '502', '503', '504'] } },
    versionDimension: 'BackendService',
    versionValue: '{namespace}/{name}/{version}',
  },
}

/** Cluster east with a v2 that fails one request in five, after ten minutes; west has the same service. */
async function tenMinutes(spec: Record<string, unknown> = {}) {
  const versions = { v1: {}, v2: { errorPercent: 20 } }
  const fixture = worldFixture({ propagationMs: 0 }, webSpec({ versions, ...spec }))
  const { world, pass, setRoute, now } = fixture
  world.putCluster('west')
  world.putService({ cluster: 'west', namespace: 'shop', service: 'web' }, webSpec({ versions, ...spec }))
  setRoute(split(80, 20))
  pass(10 * MINUTE)
  const { azure } = await azureOn((checkToken) => routeByHost(azureMonitorHosts({ world, now, checkToken })))
  const sources = sourcesOn(azure, {
    now,
    sleep: (_, signal) => new Promise((_, no) => signal?.addEventListener('abort', no)),
  })
  const cluster = east(METRICS)
  const [mesh, logs, platform] = [
    await sources.open(cluster),
    await sources.openCounts(cluster, 'logs'),
    await sources.openCounts(cluster, 'platform'),
  ]
  if (!mesh || !logs || !platform) throw new Error('no sources')
  const countMesh = windowCounter(mesh, istio, SERVICE)
  const first = Math.ceil((now() - 8 * MINUTE) / MINUTE) * MINUTE
  const windowOf = (minutes: readonly [number, number]): CountedWindow => ({
    fromMs: first + minutes[0] * MINUTE,
    toMs: first + minutes[1] * MINUTE,
    nowMs: now(),
    notBeforeMs: 0,
  })
  const remotely = async (source: CountsSource, minutes: readonly [number, number]) =>
    (await source.counts({ service: SERVICE, versions: VERSIONS, bad: { kind: 'errors' } }, windowOf(minutes)))
      .byVersion
  return {
    onMesh: async (minutes: readonly [number, number]) => {
      const labels = { label: 'destination_version', values: VERSIONS } as const
      const counts = await countMesh({ kind: 'errors', limitPercent: 1 }, labels, windowOf(minutes))
      return counts.ok && counts.byVersion
    },
    inLogs: (minutes: readonly [number, number]) => remotely(logs, minutes),
    onPlatform: (minutes: readonly [number, number]) => remotely(platform, minutes),
    slowInLogs: async (overMs: number) =>
      (await logs.counts({ service: SERVICE, versions: VERSIONS, bad: { kind: 'latency', overMs } }, windowOf([0, 6])))
        .byVersion,
  }
}

describe('the sandbox’s Azure Monitor', () => {
  it('tells of the same requests in managed Prometheus, in logs and in platform metrics', async () => {
    const { onMesh, inLogs, onPlatform } = await tenMinutes()
    for (const minutes of [
      [0, 1],
      [1, 4],
      [4, 6],
    ] as const) {
      const counted = await onMesh(minutes)
      expect(counted).toMatchObject({ v1: { bad: 0 } })
      expect(await inLogs(minutes)).toEqual(counted)
      expect(await onPlatform(minutes)).toEqual(counted)
    }
  })

  it('has windows of logs that add up', async () => {
    const { inLogs } = await tenMinutes()
    const parts = await Promise.all([inLogs([0, 2]), inLogs([2, 5]), inLogs([5, 6])])
    const whole = await inLogs([0, 6])
    const sum = (version: string, part: 'good' | 'bad') =>
      parts.reduce((all, one) => all + (one[version]?.[part] ?? 0), 0)
    for (const version of ['v1', 'v2'])
      expect({ good: sum(version, 'good'), bad: sum(version, 'bad') }).toEqual(whole[version])
    expect((whole.v2?.bad ?? 0) / ((whole.v2?.bad ?? 0) + (whole.v2?.good ?? 0))).toBeCloseTo(0.2, 1)
  })

  it('knows failed gRPC by its status', async () => {
    const { inLogs, onMesh } = await tenMinutes({ protocol: 'grpc' })
    const counted = await inLogs([0, 6])
    expect(counted.v2?.bad).toBeGreaterThan(100)
    expect(counted).toEqual(await onMesh([0, 6]))
  })

  it('keeps durations apart by the world’s buckets', async () => {
    const { slowInLogs } = await tenMinutes({ versions: { v1: { latencyMs: 20 }, v2: { latencyMs: 2000 } } })
    const slow = await slowInLogs(600)
    expect(slow.v1?.bad).toBeLessThan(5)
    expect(slow.v2?.bad).toBeGreaterThan((slow.v2?.good ?? 0) * 10)
  })
})
