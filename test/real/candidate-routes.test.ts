import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RenderInput } from '../../src/mesh/provider.ts'
import { inputOf, rendered } from '../unit/mesh/istio/specs.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import type { KubernetesObject } from './parts/kubernetes.ts'
import { type Mesh, startMesh } from './parts/mesh.ts'
import { scratchFolder } from './parts/scratch.ts'
import type { Headers } from './parts/traffic.ts'
import { until } from './parts/wait.ts'

// What the renderer gives for a candidate: does a strict API server take it, and does a real proxy do what it means?
describeReal('the routes of a candidate', 'mesh', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let mesh: Mesh

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    mesh = await startMesh({ parts, dir: `${dir}/mesh`, api })
    await api.admin.apply([rendered(inputOf({ weights: { v1: 100, v2: 0 } }))[0] as KubernetesObject])
    await until('the subsets have reached the client', 20_000, async () => {
      const clusters = await (await fetch(`${mesh.clientAdminUrl}/clusters`)).text()
      return ['v1', 'v2'].every((subset) => clusters.includes(`outbound|80|${subset}|${mesh.host}::10.77.0.1`))
    })
  })

  afterAll(async () => {
    await mesh?.stop()
    await api?.stop()
  })

  /** Applies the route, and waits until requests show it. */
  async function carry(change: Partial<RenderInput>, shows: () => Promise<boolean>): Promise<void> {
    const [, route] = rendered(inputOf({ weights: { v1: 100, v2: 0 }, ...change }))
    await api.admin.apply([route as KubernetesObject])
    await until('the route has reached the client', 20_000, shows)
  }

  async function versionFor(headers: Headers): Promise<string | null> {
    return (await mesh.send(headers)).version
  }

  it('take requests by header and by cookie, all others stay with stable', async () => {
    const match = [
      { headers: { 'x-preview': { exact: 'yes' }, 'x-team': { prefix: 'shop-' } } },
      { headers: { 'x-build': { regex: '[0-9]+' } } },
      { cookie: { name: 'a.b|c', value: '(.*)' } },
      { path: { prefix: '/elsewhere/' } },
    ]
    // Without any route every second request goes to v2.
    await carry({ candidate: { version: 'v2', match } }, async () => (await mesh.requestShare(20)).byVersion.v1 === 20)
    expect((await mesh.requestShare(20, { 'x-build': '7' })).byVersion).toEqual({ v2: 20 })
    expect(await versionFor({ 'x-preview': 'yes', 'x-team': 'shop-7' })).toBe('v2')
    expect(await versionFor({ cookie: 'x=1; a.b|c=(.*)' })).toBe('v2')
    for (const headers of [{}, { 'x-preview': 'yes' }, { 'x-build': '7a' }, { cookie: 'azb=1' }]) {
      expect((await mesh.requestShare(20, headers)).byVersion).toEqual({ v1: 20 })
    }
  })

  it('keep a client that got the candidate by its cookie, whose name may hold what Envoy would read as a variable', async () => {
    const affinity = { cookie: '50%', value: 'shop.web.k3', maxAgeMs: 60_000 }
    const candidate = { version: 'v2', affinity }
    await carry({ candidate, weights: { v1: 0, v2: 100 } }, async () => (await mesh.send()).cookie !== undefined)
    expect(await mesh.send()).toMatchObject({ version: 'v2', cookie: '50%=shop.web.k3' })
    await carry({ candidate, weights: { v1: 99, v2: 1 } }, async () => (await versionFor({})) === 'v1')
    expect((await mesh.requestShare(50, { cookie: '50%=shop.web.k3' })).byVersion).toEqual({ v2: 50 })
    expect((await mesh.requestShare(50, { cookie: '50%=shop.web.k2' })).byVersion.v1).toBeGreaterThan(40)
  })

  it('copy to the candidate, whose failures no caller gets', async () => {
    await mesh.behave('v2', { failShare: 1 })
    let seen = await mesh.received('v2')
    // One request in a hundred went to v2 by the route before: a single one tells nothing.
    await carry({ candidate: { version: 'v2', mirror: 50 } }, async () => {
      await mesh.requestShare(20)
      const last = seen
      seen = await mesh.received('v2')
      return seen - last >= 5
    })
    const before = await mesh.received('v2')
    const share = await mesh.requestShare(400)
    expect([share.byStatus, share.byVersion]).toEqual([{ 200: 400 }, { v1: 400 }])
    await until('about half of them were copied', 10_000, async () => (await mesh.received('v2')) - before > 150)
    expect((await mesh.received('v2')) - before).toBeLessThan(250)
    await mesh.behave('v2', {})
  })
})
