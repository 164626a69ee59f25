import { beforeAll, expect, it } from 'vitest'
import { prometheusUrl } from '../../simulation/surroundings.ts'
import { type Observed, observe } from './observed.ts'
import { createObservedWorld, type ObservedWorld } from './world.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const INCOMING = `00-${TRACE}-b7ad6b7169203331-01`

let observed: Observed
let world: ObservedWorld

beforeAll(async () => {
  observed = observe()
  world = await createObservedWorld()
  const cluster = { kubeconfig: { context: 'east' }, metrics: { prometheus: { url: prometheusUrl('east') } } }
  await expectOk(world.call('admin', 'PUT', '/clusters/east', cluster))
  await expectOk(world.call('admin', 'PUT', '/teams/shop', { namespaces: ['shop'], groups: [] }))
  await world.work()
  await world.work()
})

async function expectOk(answer: ReturnType<ObservedWorld['call']>) {
  const { status, body } = await answer
  expect(status, String(body)).toBeLessThan(300)
}

const SERVICE = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } } },
  initialVersion: 'v1',
  clusters: ['east'],
}

it('leads from a PUT through the queue to the requests on the cluster, in the trace of who called', async () => {
  observed.clear()
  await expectOk(world.call('admin', 'PUT', '/services/shop/web', SERVICE, { traceparent: INCOMING }))
  expect(world.messages.map((text) => JSON.parse(text))).toMatchObject([
    { kind: 'reconcile', trace: expect.stringMatching(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`)) },
  ])
  await world.work()
  const spans = observed.spans().filter((span) => span.spanContext().traceId === TRACE)
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]))
  const parentOf = (name: string) => byId.get(spans.find((span) => span.name === name)?.parentSpanContext?.spanId ?? '')
  const put = spans.find(({ name }) => name === 'http PUT /services/{namespace}/{name}')
  expect(put?.parentSpanContext?.spanId).toBe('b7ad6b7169203331')
  expect(put?.attributes).toMatchObject({
    'http.route': '/services/{namespace}/{name}',
    'meshwright.request_id': expect.any(String),
  })
  expect(parentOf('work reconcile')).toBe(put)
  expect(parentOf('kubernetes LIST EndpointSlice')?.name).toBe('work reconcile')
  expect(observed.spans().every((span) => span.spanContext().traceId === TRACE)).toBe(true)
})

it('tells of a call that was refused', async () => {
  observed.clear()
  const answer = await world.call('viewer', 'PUT', '/services/shop/web', SERVICE)
  expect(answer.status).toBe(403)
  expect(observed.spans().at(-1)).toMatchObject({ attributes: { 'http.response.status_code': 403 } })
})

it('counts what happens under the names that are documented', async () => {
  const points = Object.keys(await observed.points())
  expect(points).toEqual(
    expect.arrayContaining([
      'meshwright.http.duration{method=PUT,route=/services/{namespace}/{name},status=403}',
      'meshwright.work.duration{kind=probe,result=done}',
      expect.stringMatching(/^meshwright\.reconcile\.duration\{cluster=east,outcome=\w+\}$/),
      expect.stringMatching(/^meshwright\.cluster\.changes\{cluster=east,reason=\w+\}$/),
    ]),
  )
})

it('gives logs the trace that they belong to', async () => {
  const ended = world.log.map((line) => JSON.parse(line)).filter(({ event }) => event === 'reconcile.ended')
  expect(ended.at(-1)).toMatchObject({ service: 'shop/web', cluster: 'east', traceId: TRACE })
})

it('holds no token, key or secret in any span, metric or log', async () => {
  const text = `${await observed.exported()}\n${world.log.join('\n')}`
  expect(text.length).toBeGreaterThan(5000)
  for (const secret of world.secrets) {
    expect(text.includes(secret), 'a secret').toBe(false)
    for (const part of secret.split('.').filter(({ length }) => length > 20)) {
      expect(text.includes(part), 'a part of a token').toBe(false)
    }
  }
  expect(text).not.toMatch(/authorization|bearer /i)
  expect(text).not.toMatch(/[?&](sig|code|token)=/)
})
