import { describe, expect, it } from 'vitest'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { istioRoutes } from '../../../../src/sandbox/world/istio-routes.ts'
import { worldControl } from '../../../../src/sandbox/world/world-control.ts'
import { inputOf } from '../../mesh/istio/specs.ts'
import { WEB, webSpec, worldFixture } from './world-fixture.ts'

const CALLER = { workload: 'frontend', namespace: 'shop', share: 1, meshed: true }
const TO_V2 = { reporter: 'destination', destination_version: 'v2' }

/** A world that follows what the provider renders. */
function rendered(caller: Record<string, unknown>) {
  let objects: readonly unknown[] = []
  const routes = istioRoutes({
    list: (_, __, kind) => objects.filter((object) => (object as { kind: string }).kind === kind),
  })
  const demand = { requestsPerSecond: 100, callers: [{ ...CALLER, ...caller }] }
  const fixture = worldFixture({ routes, propagationMs: 0 }, webSpec({ demand }))
  const apply = (change: Partial<RenderInput>) => {
    const result = istio.render(inputOf(change))
    objects = result.ok ? result.steps.map(({ object }) => object) : []
    fixture.world.routesChanged('east')
  }
  return { ...fixture, apply }
}

const STABLE = { v1: 100, v2: 0 }

describe('the simulated traffic', () => {
  it('goes to the candidate where it matches, by header, cookie or path, and else to stable', () => {
    const requests = [
      { percent: 20, headers: { 'x-preview': 'yes' } },
      { percent: 10, cookies: { a: '1', beta: 'on' } },
      { percent: 5, path: '/cart/7' },
      { percent: 5, path: '/carts' },
    ]
    const { apply, pass, requests: counted } = rendered({ requests })
    const match = [
      { headers: { 'x-preview': { exact: 'yes' } } },
      { cookie: { name: 'beta', value: 'on' } },
      { path: { prefix: '/cart' } },
    ]
    apply({ weights: STABLE, candidate: { version: 'v2', match } })
    pass(100_000)
    const share = counted(TO_V2) / counted({ reporter: 'destination' })
    expect(Math.abs(share - 0.35)).toBeLessThan(0.03)
  })

  it('is copied to the candidate, whose failures no caller sees', () => {
    const { apply, pass, requests: counted, world } = rendered({})
    world.putService(WEB, webSpec({ versions: { v1: {}, v2: { errorPercent: 100 } } }))
    apply({ weights: STABLE, candidate: { version: 'v2', mirror: 25 } })
    pass(100_000)
    const asked = counted({ reporter: 'source' })
    expect(counted({ reporter: 'source', response_code: '200', destination_version: 'v1' })).toBe(asked)
    expect(Math.abs(counted(TO_V2) / asked - 0.25)).toBeLessThan(0.03)
    expect(counted({ ...TO_V2, response_code: '500' })).toBe(counted(TO_V2))
  })

  const affinity = (value: string) => ({ version: 'v2', affinity: { cookie: 'c', value, maxAgeMs: 60_000 } })

  it('stays with the candidate where clients keep the cookie: their share grows beyond the weight', () => {
    const { apply, pass, requests: counted } = rendered({ clients: 2000 })
    const shareFor = (ms: number) => {
      const [all, candidate] = [counted({ reporter: 'destination' }), counted(TO_V2)]
      pass(ms)
      return (counted(TO_V2) - candidate) / (counted({ reporter: 'destination' }) - all)
    }
    apply({ weights: { v1: 90, v2: 10 }, candidate: affinity('k3') })
    // 100 requests a second of 2000 clients at 10 %: of those without the cookie one in 200 gets it each second.
    const afterSeconds = (seconds: number) => 1 - 0.9 * Math.exp(-seconds / 200)
    expect(Math.abs(shareFor(20_000) - afterSeconds(10))).toBeLessThan(0.04)
    pass(160_000)
    expect(Math.abs(shareFor(40_000) - afterSeconds(200))).toBeLessThan(0.04)
    // The next rollout's cookie is another: all begin anew.
    apply({ weights: { v1: 90, v2: 10 }, candidate: affinity('k4') })
    expect(Math.abs(shareFor(20_000) - afterSeconds(10))).toBeLessThan(0.04)
  })

  it('does not stay where clients keep no cookie', () => {
    const { apply, pass, requests: counted } = rendered({})
    apply({ weights: { v1: 90, v2: 10 }, candidate: affinity('k3') })
    pass(100_000)
    expect(Math.abs(counted(TO_V2) / counted({ reporter: 'destination' }) - 0.1)).toBeLessThan(0.02)
  })

  it('can be asked by single requests, which tell the cookie and the copy', async () => {
    const { apply, world, now } = rendered({})
    const send = async (request: unknown) => {
      const url = new URL('http://world/world/clusters/east/services/shop/web/requests')
      const body = new TextEncoder().encode(JSON.stringify({ request }))
      const answer = await worldControl(world, now)({ method: 'POST', url, headers: {}, body })
      return JSON.parse(String(answer.body)).value[0]
    }
    apply({ weights: { v1: 0, v2: 100 }, candidate: affinity('k3') })
    expect(await send({})).toMatchObject({ version: 'v2', setCookie: 'c=k3' })
    apply({ weights: { v1: 100, v2: 0 }, candidate: affinity('k3') })
    expect(await send({ cookies: { c: 'k3' } })).toMatchObject({ version: 'v2' })
    expect((await send({})).setCookie).toBeUndefined()
    apply({ weights: STABLE, candidate: { version: 'v2', mirror: 100 } })
    expect(await send({})).toMatchObject({ version: 'v1', status: 200, copiedTo: 'v2' })
  })

  it('answers 404 where routes are there and none fits', () => {
    const routes = istioRoutes({
      list: (_, __, kind) =>
        kind === 'VirtualService'
          ? [
              {
                metadata: { namespace: 'shop', name: 'web' },
                spec: {
                  hosts: ['web'],
                  http: [{ match: [{ uri: { exact: '/a' } }], route: [{ destination: { host: 'web' } }] }],
                },
              },
            ]
          : [],
    })
    const { world, pass, requests: counted } = worldFixture({ routes })
    expect(world.request(WEB)).toMatchObject({ version: undefined, status: 404 })
    expect(world.request(WEB, undefined, { path: '/a', headers: {}, cookies: {} })).toMatchObject({ status: 200 })
    pass(10_000)
    expect(counted({ reporter: 'source', response_code: '404', response_flags: 'NR' })).toBeGreaterThan(800)
  })
})
