import { describe, expect, it } from 'vitest'
import { worldControl } from '../../../../src/sandbox/world/world-control.ts'
import { split, worldFixture } from './world-fixture.ts'

function control() {
  const fixture = worldFixture({ propagationMs: 0 })
  const emulator = worldControl(fixture.world, fixture.now)
  const call = async (method: string, path: string, body?: unknown) => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    const url = new URL(`http://world${path}`)
    const response = await emulator({ method, url, headers: {}, body: new TextEncoder().encode(text) })
    return { status: response.status, body: response.body === '' ? undefined : JSON.parse(String(response.body)) }
  }
  return { ...fixture, call }
}

const WEB = '/world/clusters/east/services/shop/web'

describe('the control surface of the world', () => {
  it('shows everything, with what was observed of each version', async () => {
    const { call, pass, setRoute } = control()
    setRoute(split(100, 0))
    pass(30_000)
    const { status, body } = await call('GET', '/world')
    expect(status).toBe(200)
    const web = body.clusters.east.services['shop/web']
    expect(web.route).toEqual(split(100, 0))
    expect(web.pods).toHaveLength(4)
    expect(web.observed.v1.requests).toBeGreaterThan(2_000)
    expect(web.observed.v1.errors).toBe(0)
    expect(web.observed.v2).toBeUndefined()
  })

  it('sets the behaviour of a version while the world runs', async () => {
    const { call, pass } = control()
    const answer = await call('PATCH', `${WEB}/versions/v2`, { errorPercent: 100, latencyMs: 300, pods: 3 })
    expect(answer.status).toBe(200)
    expect(answer.body.versions.v2).toMatchObject({ errorPercent: 100, latencyMs: 300, pods: 3, silent: false })
    pass(10_000)
    const { body } = await call('GET', WEB)
    expect(body.observed.v2.errors).toBe(body.observed.v2.requests)
    expect(body.pods).toHaveLength(5)
  })

  it('takes a 99th per cent that was set along with the median', async () => {
    const { call } = control()
    await call('PATCH', `${WEB}/versions/v2`, { latencyMs: 10, latencyP99Ms: 30 })
    const { body } = await call('PATCH', `${WEB}/versions/v2`, { latencyMs: 100 })
    expect(body.versions.v2.latencyP99Ms).toBe(300)
  })

  it('adds and takes away clusters, services and versions', async () => {
    const { call } = control()
    expect((await call('PUT', '/world/clusters/west')).body).toMatchObject({ reachable: true, metrics: 'up' })
    const pay = '/world/clusters/west/services/shop/pay'
    expect((await call('PUT', pay, { versions: { v1: { pods: 1 } } })).body.pods).toHaveLength(1)
    expect((await call('PUT', `${pay}/versions/v2`, { pods: 2 })).body.pods).toHaveLength(3)
    expect((await call('DELETE', `${pay}/versions/v1`)).status).toBe(204)
    expect((await call('GET', pay)).body.pods).toHaveLength(2)
    expect((await call('DELETE', pay)).status).toBe(204)
    expect((await call('GET', pay)).status).toBe(404)
    expect((await call('DELETE', '/world/clusters/west')).status).toBe(204)
    expect((await call('GET', '/world/clusters/west')).status).toBe(404)
  })

  it('sets demand and the state of a cluster', async () => {
    const { call } = control()
    const demand = await call('PUT', `${WEB}/demand`, { requestsPerSecond: 7 })
    expect(demand.body.demand).toMatchObject({ requestsPerSecond: 7, callers: [{ workload: 'istio-ingressgateway' }] })
    const late = await call('PATCH', '/world/clusters/east', { metrics: 'late', reachable: false })
    expect(late.body).toMatchObject({ metrics: 'late', metricsDelayMs: 60_000, reachable: false })
  })

  it('sends single requests', async () => {
    const { call, setRoute } = control()
    setRoute(split(0, 1))
    const { body } = await call('POST', `${WEB}/requests`, { count: 5 })
    expect(body.value.map(({ version }: { version: string }) => version)).toEqual(['v2', 'v2', 'v2', 'v2', 'v2'])
  })

  it.each([
    ['PATCH', `${WEB}/versions/v2`, { errorPercent: 101 }, 'errorPercent'],
    ['PATCH', `${WEB}/versions/v2`, { errors: 1 }, 'errors'],
    ['PUT', `${WEB}/versions/V_2`, {}, 'V_2'],
    ['PUT', `${WEB}/demand`, { requestsPerSecond: -1 }, 'requestsPerSecond'],
    ['PATCH', '/world/clusters/east', { metrics: 'maybe' }, 'metrics'],
    ['PUT', WEB, '{', 'no JSON'],
  ])('refuses %s %s with %j and names the field', async (method, path, body, named) => {
    const { call } = control()
    const before = await call('GET', WEB)
    const answer = await call(method, path, body)
    expect(answer.status).toBe(400)
    expect(JSON.stringify(answer.body)).toContain(named)
    expect(await call('GET', WEB)).toEqual(before)
  })

  it.each([
    ['GET', '/', 404],
    ['GET', '/world/clusters/north', 404],
    ['PATCH', `${WEB}/versions/v9`, 404],
    ['PUT', '/world/clusters/north/services/shop/web/demand', 404],
    ['DELETE', '/world', 405],
    ['POST', WEB, 405],
    ['GET', `${WEB}/demand`, 405],
  ])('answers %s %s with %i', async (method, path, status) => {
    const { call } = control()
    expect((await call(method, path, {})).status).toBe(status)
  })
})
