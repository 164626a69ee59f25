import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RolloutView } from '../../../src/http/views/rollout-view.ts'
import { SANDBOX_PROMETHEUS, SANDBOX_WORKSPACE } from '../../../src/sandbox/azure-monitor-hosts.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'
import { QUICK, webService } from './web-service.ts'

let product: Product

beforeAll(async () => {
  product = await startProduct()
  await Promise.all(['east', 'west'].map(useAzureMonitor))
})
afterAll(() => product.close())

const isOver = ({ endedAt }: RolloutView) => endedAt !== undefined
const LOGS_GATES = [
  { kind: 'errors', from: 'logs', limitPercent: 1 },
  { kind: 'latency', from: 'logs', overMs: 777, limitPercent: 1 },
]
/** Counts of the mesh, by a ready-made gate, and a value of the logs. */
const QUERIES = [
  { kind: 'counts', use: 'istio-errors', every: '10s', limitPercent: 1 },
  {
    kind: 'value',
    name: 'p95',
    from: 'logs',
    query:
      'AppRequests | where AppRoleName == "{{service}}" and AppVersion == "{{version}}" and tostring(Properties["k8s.cluster.name"]) == "{{cluster}}" | summarize p95 = percentile(DurationMs, 95)',
    max: 1000,
    looks: 2,
    every: '10s',
  },
]

/** The cluster's metrics come from the one workspace that both write to, by the app's managed identity. */
async function useAzureMonitor(cluster: string): Promise<void> {
  const often = { delay: '1s', every: '2s' }
  const metrics = {
    ...often,
    prometheus: null,
    azureMonitor: { endpoint: `https://${SANDBOX_PROMETHEUS}` },
    logs: { workspaceId: SANDBOX_WORKSPACE, where: { 'k8s.cluster.name': cluster }, ...often },
  }
  const headers = { 'content-type': 'application/merge-patch+json' }
  const patched = await product.call('PATCH', `/clusters/${cluster}`, { body: { metrics }, headers })
  if (patched.status !== 200) throw new Error(JSON.stringify(patched.body))
}

describe('gates on Azure Monitor', { concurrent: true, timeout: 120_000 }, () => {
  test('managed Prometheus promotes a good candidate on each cluster by its own numbers', async () => {
    const web = await webService(product, 'managed')
    const end = await product.rolloutWhen((await web.start()).id, isOver)
    expect(end).toMatchObject({ phase: 'succeeded', weight: 100 })
    expect(end.verdicts.map(({ cluster, from }) => `${cluster} ${from}`)).toEqual(['east mesh', 'west mesh', '* mesh'])
    for (const { candidate } of end.verdicts) expect(candidate.good + candidate.bad).toBeGreaterThan(50)
  })

  test('managed Prometheus rolls a failing candidate back', async () => {
    const web = await webService(product, 'managed-bad')
    await web.setErrors(20)
    const end = await product.rolloutWhen((await web.start()).id, isOver)
    expect(end).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded' })
    expect(end.message).toMatch(/^gate errors on (east|west|all clusters together): \d+ of \d+ requests failed/)
  })

  test('logs promote a good candidate, by errors and by a threshold that no histogram has', async () => {
    const web = await webService(product, 'logged', ['east'])
    const end = await product.rolloutWhen((await web.start({ ...QUICK, gates: LOGS_GATES })).id, isOver)
    expect(end).toMatchObject({ phase: 'succeeded', weight: 100 })
    expect(end.verdicts.map(({ kind, from }) => `${kind} ${from}`)).toEqual(['errors logs', 'latency logs'])
    for (const { candidate } of end.verdicts) expect(candidate.good + candidate.bad).toBeGreaterThan(50)
  })

  test('logs roll back a candidate that fails, and one that is slow', async () => {
    const web = await webService(product, 'logged-bad', ['west'])
    await web.setErrors(20)
    const failed = await product.rolloutWhen((await web.start({ ...QUICK, gates: LOGS_GATES })).id, isOver)
    expect(failed).toMatchObject({ phase: 'rolled-back', cause: 'gate' })
    expect(failed.message).toMatch(/^gate errors from logs on west: /)
    const slow = await webService(product, 'logged-slow', ['west'])
    await product.world('PATCH', `/clusters/west${slow.path}/versions/v2`, { latencyMs: 600, latencyP99Ms: 4000 })
    const late = await product.rolloutWhen((await slow.start({ ...QUICK, gates: LOGS_GATES })).id, isOver)
    expect(late).toMatchObject({ phase: 'rolled-back', cause: 'gate' })
    expect(late.message).toMatch(/^gate latency from logs over 777 ms on west: /)
  })

  test('gates with queries of their own promote a good candidate', async () => {
    const web = await webService(product, 'queried', ['east'])
    const end = await product.rolloutWhen((await web.start({ ...QUICK, gates: QUERIES })).id, isOver)
    expect(end).toMatchObject({ phase: 'succeeded', weight: 100 })
    expect(end.verdicts).toMatchObject([
      { kind: 'counts', name: 'istio-errors', from: 'mesh' },
      { kind: 'value', name: 'p95', from: 'logs', verdict: 'safe', value: { max: 1000 } },
    ])
    expect(end.verdicts[0]?.candidate.good).toBeGreaterThan(50)
    expect(end.gates[0]).toMatchObject({ all: expect.stringContaining('istio_requests_total{') })
  })

  test('gates with queries of their own roll back a candidate that fails, and one that is slow', async () => {
    const web = await webService(product, 'queried-bad', ['west'])
    await web.setErrors(20)
    const failed = await product.rolloutWhen((await web.start({ ...QUICK, gates: QUERIES })).id, isOver)
    expect(failed).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded' })
    expect(failed.message).toMatch(/^gate istio-errors on west: [\d.,]+ of [\d.,]+ requests were bad/)
    const slow = await webService(product, 'queried-slow', ['west'])
    await product.world('PATCH', `/clusters/west${slow.path}/versions/v2`, { latencyMs: 2000, latencyP99Ms: 4000 })
    const late = await product.rolloutWhen((await slow.start({ ...QUICK, gates: QUERIES })).id, isOver)
    expect(late).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'OutOfBounds' })
    expect(late.message).toMatch(/^gate p95 from logs \(at most 1000\) on west: the value is \d/)
  })

  test('a query that the source refuses is refused at the start', async () => {
    const web = await webService(product, 'unasked', ['east'])
    const gates = [{ kind: 'value', name: 'x', from: 'logs', query: 'AppRequests | where Nothing > 1 | count', max: 1 }]
    expect(await product.call('POST', `${web.path}/rollouts`, { body: { ...QUICK, gates } })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/gates/0/query', reason: expect.stringContaining("named 'Nothing'") }] },
    })
  })

  test('a gate on what a cluster does not name is refused, with the way out', async () => {
    const web = await webService(product, 'nameless', ['east'])
    const gates = [{ kind: 'errors', from: 'platform', limitPercent: 1 }]
    const refused = await product.call('POST', `${web.path}/rollouts`, { body: { ...QUICK, gates } })
    expect(refused).toMatchObject({
      status: 422,
      body: {
        code: 'InvalidCombination',
        errors: [{ pointer: '/gates/0/from', reason: 'cluster east has no metrics.platform' }],
        hint: expect.stringContaining('metrics.platform'),
      },
    })
  })

  test('a cluster says that its mesh is scraped', async () => {
    await webService(product, 'scraped', ['east'])
    const look = async () => (await product.call('GET', '/clusters/east/metrics')).body
    const ready = await until(look, (seen) => (seen as { ready: boolean }).ready)
    expect(ready).toEqual({ ready: true, reason: 'Answers', message: 'The metrics source answers and has targets.' })
  })
})
