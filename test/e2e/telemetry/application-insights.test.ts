import { beforeAll, expect, it, vi } from 'vitest'
import { flushing } from '../../../functions/shared/flushing.ts'
import type { App } from '../../../src/app.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'
import { parseSettings } from '../../../src/settings.ts'
import { startTelemetry } from '../../../src/start-telemetry.ts'
import { prometheusUrl } from '../../simulation/surroundings.ts'
import { type Envelope, ingestion } from './ingestion.ts'
import { createObservedWorld, type ObservedWorld } from './world.ts'

const IKEY = '5f0d8a4e-1b7c-4c1e-9a53-6a2f0d1c7b9e'
const HOST = 'westeurope-5.in.applicationinsights.azure.com'
const TOKEN = 'insights-token-never-to-be-seen'
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SERVICE = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } } },
  initialVersion: 'v1',
  clusters: ['east'],
}

const insights = ingestion({ iKey: IKEY, host: HOST, token: TOKEN })
const asked: string[] = []
const written: string[] = []
let world: ObservedWorld
let app: App

beforeAll(async () => {
  vi.stubEnv('WEBSITE_SITE_NAME', 'func-edge-x7')
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
  const settings = parseSettings({
    MESHWRIGHT_TENANT_ID: '11111111-2222-3333-4444-555555555555',
    MESHWRIGHT_AUDIENCES: 'api://meshwright',
    MESHWRIGHT_COSMOS__accountEndpoint: 'https://cosmos.test',
    MESHWRIGHT_QUEUES__queueServiceUri: 'https://queues.test',
    APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${IKEY};IngestionEndpoint=https://${HOST}/`,
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=9d1f;Authorization=AAD',
  })
  const credential = {
    async getToken(scopes: string | string[]) {
      asked.push(...[scopes].flat())
      return { token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }
    },
  }
  const told = await startTelemetry(settings, { azureHttp: pipelineTransport(insights.handle), credential })
  if (!told) throw new Error('nothing is exported')
  world = await createObservedWorld(told.overrides)
  app = flushing(world.app, told.flush)
  const cluster = { kubeconfig: { context: 'east' }, metrics: { prometheus: { url: prometheusUrl('east') } } }
  await world.call('admin', 'PUT', '/clusters/east', cluster)
  await world.call('admin', 'PUT', '/teams/shop', { namespaces: ['shop'], groups: [] })
  await world.work()
})

function ofTrace(baseType: Envelope['data']['baseType']): Envelope[] {
  return insights.items.filter(({ tags, data }) => data.baseType === baseType && tags['ai.operation.id'] === TRACE)
}

it('shows one PUT, its work and its requests on the cluster as one operation, by the identity that the setting names', async () => {
  const put = await world.call('admin', 'PUT', '/services/shop/web', SERVICE, {
    traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  })
  expect(put.status).toBeLessThan(300)
  await world.work()
  await app.sweep()
  await vi.waitFor(() => expect(ofTrace('RequestData')).toHaveLength(2))
  expect(ofTrace('RequestData').map(({ data }) => [data.baseData.name, data.baseData.responseCode])).toEqual([
    ['PUT /services/{namespace}/{name}', String(put.status)],
    ['work reconcile', '0'],
  ])
  expect(ofTrace('RequestData')[0]).toMatchObject({
    tags: { 'ai.cloud.role': 'func-edge-x7' },
    data: { baseData: { properties: { 'meshwright.request_id': expect.any(String) } } },
  })
  const dependencies = ofTrace('RemoteDependencyData').map(({ data }) => data.baseData.name)
  expect(dependencies).toContain('kubernetes LIST EndpointSlice')
  expect(new Set(asked)).toEqual(new Set(['https://monitor.azure.com/.default']))
  expect(insights.refused).toEqual([])
})

it('shows metrics under their documented names', async () => {
  await app.sweep()
  await vi.waitFor(() => {
    const metrics = insights.items.flatMap(({ data }) => data.baseData.metrics ?? []).map(({ name }) => name)
    expect(metrics).toEqual(expect.arrayContaining(['meshwright.http.duration', 'meshwright.sweep.due']))
    expect(metrics.filter((name) => !name.startsWith('meshwright.'))).toEqual([])
  })
})

it('shows log lines as traces: the event as message and field, its severity, and the operation that it belongs to', async () => {
  await app.work('no message of ours')
  await vi.waitFor(() => expect(insights.items.some(({ data }) => data.baseData.severityLevel === 'Error')).toBe(true))
  const failed = insights.items.find(({ data }) => data.baseData.severityLevel === 'Error')?.data.baseData
  expect(failed?.message).toBe('work.unreadable')
  expect(failed?.properties).toEqual({ event: 'work.unreadable', message: 'no message of ours' })
  const ended = ofTrace('MessageData').find(({ data }) => data.baseData.message === 'reconcile.ended')
  expect(ended?.data.baseData.properties).toMatchObject({ service: 'shop/web', cluster: 'east' })
})

it('holds no token, key or secret in what it sends', () => {
  const text = insights.text()
  expect(text.length).toBeGreaterThan(5000)
  for (const secret of [TOKEN, ...world.secrets]) expect(text.includes(secret), 'a secret').toBe(false)
  expect(text).not.toMatch(/authorization|bearer /i)
})

it.each([401, 429, 500])('delays and fails no call while the endpoint answers %i', async (status) => {
  insights.fail(status)
  const before = insights.refused.length
  await app.work('none of ours')
  await app.sweep()
  await vi.waitFor(() => expect(insights.refused.length).toBeGreaterThan(before))
  insights.fail(undefined)
  const seen = insights.items.length
  await app.work('none of ours')
  await vi.waitFor(() => expect(insights.items.length).toBeGreaterThan(seen))
})

it('tells on standard error, once, that nothing got through', async () => {
  const told = () => written.filter((line) => line.includes('telemetry.not-exported'))
  await vi.waitFor(() => expect(told()).toHaveLength(1))
  expect(JSON.parse(told()[0] ?? '')).toMatchObject({ level: 'warn', error: { message: expect.any(String) } })
  expect(told()[0]).not.toContain(TOKEN)
})
