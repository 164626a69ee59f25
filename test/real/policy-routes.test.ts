import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type PolicyShop, startPolicyShop } from './parts/policy-shop.ts'
import { scratchFolder } from './parts/scratch.ts'
import type { Answer, Headers } from './parts/traffic.ts'
import { type Kind, underPolicies } from './parts/under-policies.ts'
import { until } from './parts/wait.ts'

const VERSIONS = { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } }

/** What becomes of requests on their way: each policy goes in through Meshwright, and is taken off again, under load. */
describeReal('how requests for a service travel', 'mesh', (parts) => {
  const dir = scratchFolder()
  let shop: PolicyShop

  beforeAll(async () => {
    shop = await startPolicyShop({ parts, dir, versions: VERSIONS })
  })
  afterEach(() => shop.mesh.behave('v2', {}))
  afterAll(() => shop?.stop())

  function gets(path: string, gets: readonly unknown[], headers: Headers = {}, method = 'GET'): Kind {
    return { client: shop.mesh, headers, target: { method, path }, gets }
  }
  const told = (kinds: Readonly<Record<string, Kind>>, tell: (answer: Answer) => unknown) =>
    Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { ...kind, tell }]))

  it('by header, cookie, query, path and method: rewritten or sent elsewhere, and all others as they came', async () => {
    const routes = [
      {
        name: 'beta',
        match: [{ exact: 'yes' }, { prefix: 'maybe-' }, { regex: '[0-9]+' }].map((is) => ({
          headers: { 'x-beta': is },
        })),
        rewrite: { path: '/beta' },
      },
      { name: 'known', match: [{ cookie: { name: 'id', value: 'ada' } }], rewrite: { path: '/known' } },
      {
        name: 'paged',
        match: [{ exact: 'all' }, { prefix: 'p' }, { regex: '[0-9]+' }].map((is) => ({ query: { page: is } })),
        rewrite: { path: '/paged' },
      },
      { name: 'shaped', match: [{ path: { regex: '/shape/[a-z]+' } }], rewrite: { path: '/shaped' } },
      { name: 'old', match: [{ path: { exact: '/old' } }], redirect: { path: '/new', status: 308 } },
      {
        name: 'api',
        match: [{ path: { prefix: '/api' }, methods: ['GET'] }],
        rewrite: { path: '/v2', host: 'in.example.com' },
      },
    ]
    const { host } = shop.mesh
    const as = (path: string) => `200 ${path} ${host}`
    const kinds = {
      'by header': gets('/a', [as('/a'), as('/beta')], { 'x-beta': 'yes' }),
      'by its start': gets('/a', [as('/a'), as('/beta')], { 'x-beta': 'maybe-7' }),
      'by its shape': gets('/a', [as('/a'), as('/beta')], { 'x-beta': '77' }),
      'by another value of it': gets('/a', [as('/a'), as('/a')], { 'x-beta': 'yes!' }),
      'by cookie': gets('/a', [as('/a'), as('/known')], { cookie: 'x=1; id=ada' }),
      'by query': gets('/a?x=1&page=12', [as('/a?x=1&page=12'), as('/paged?x=1&page=12')]),
      'by the whole of it': gets('/a?page=all', [as('/a?page=all'), as('/paged?page=all')]),
      'by the start of it': gets('/a?page=p1', [as('/a?page=p1'), as('/paged?page=p1')]),
      'not by another query': gets('/a?page=1b', [as('/a?page=1b'), as('/a?page=1b')]),
      'by the shape of the path': gets('/shape/ab', [as('/shape/ab'), as('/shaped')]),
      'not by half of it': gets('/shape/ab/c', [as('/shape/ab/c'), as('/shape/ab/c')]),
      'sent elsewhere': gets('/old', [as('/old'), `308 http://${host}/new`]),
      'by prefix': gets('/api/x', [as('/api/x'), '200 /v2/x in.example.com']),
      'not by half a segment': gets('/apix', [as('/apix'), as('/apix')]),
      'not by another method': gets('/api/x', [as('/api/x'), as('/api/x')], {}, 'PUT'),
    }
    const tell = ({ status, seen, location }: Answer) => `${status} ${seen ? `${seen.path} ${seen.host}` : location}`
    await underPolicies(shop, 'routes', [{ policy: { traffic: { routes } } }], told(kinds, tell))
  })

  it('tried again where a try fails, but for what may not be done twice', async () => {
    const failing = (tries: number) => ({ 'app-fail-tries': String(tries) })
    const routes = [{ name: 'once', match: [{ path: { exact: '/once' } }], retries: { attempts: 0 } }]
    const stands = [
      { policy: { traffic: { retries: { attempts: 2 }, routes } } },
      { policy: { traffic: { retries: { attempts: 1, nonIdempotent: true } } } },
    ]
    const kinds = {
      'no failing try': gets('/', ['200 1', '200 1', '200 1']),
      'one failing try': gets('/', ['503 1', '200 2', '200 2'], failing(1)),
      'two failing tries': gets('/', ['503 1', '200 3', '503 2'], failing(2)),
      'three failing tries': gets('/', ['503 1', '503 3', '503 2'], failing(3)),
      'on a route of its own': gets('/once', ['503 1', '503 1', '200 2'], failing(1)),
      'a POST': gets('/', ['503 1', '503 1', '200 2'], failing(1), 'POST'),
      'a DELETE': gets('/', ['503 1', '200 2', '200 2'], failing(1), 'DELETE'),
    }
    await underPolicies(
      shop,
      'retries',
      stands,
      told(kinds, ({ status, seen }) => `${status} ${seen?.tries}`),
    )
  })

  it('for so long and no longer, on the whole and on a route', async () => {
    const slow = (ms: number) => ({ 'app-delay-ms': String(ms) })
    const routes = [{ name: 'patient', match: [{ path: { prefix: '/patient' } }], timeout: '5s' }]
    const retries = { attempts: 2, perTryTimeout: '400ms', on: ['5xx'] }
    const stands = [
      { policy: { traffic: { timeout: '1s', routes } } },
      { policy: { traffic: { timeout: '5s', retries } } },
    ]
    await underPolicies(shop, 'timeouts', stands, {
      'at once': gets('/', [200, 200, 200]),
      'too slow': gets('/', [200, 504, 504], slow(2_000)),
      'too slow but for the route': gets('/patient/a', [200, 200, 504], slow(2_000)),
    })
  })

  it('with faults made on purpose, for the share that is asked', async () => {
    const routes = [
      { name: 'broken', match: [{ path: { exact: '/broken' } }], fault: { abort: { status: 418, percent: 100 } } },
      { name: 'some', match: [{ path: { exact: '/some' } }], fault: { abort: { status: 503, percent: 25 } } },
      { name: 'late', match: [{ path: { exact: '/late' } }], fault: { delay: { for: '2s', percent: 100 } } },
    ]
    const look = async () => {
      const { byStatus } = await shop.mesh.requestShare(800, {}, { path: '/some' })
      const share = (byStatus[503] ?? 0) / 800
      measured(`faults: ${(100 * share).toFixed(1)} % of 800 at 25 %`)
      // 4 sigma.
      expect(Math.abs(share - 0.25)).toBeLessThan(0.062)
      expect((byStatus[503] ?? 0) + (byStatus[200] ?? 0)).toBe(800)
    }
    const fault = { abort: { status: 503, percent: 100 }, delay: { for: '200ms', percent: 100 } }
    const lookAtAll = async () => expect((await shop.mesh.send()).durationMs).toBeGreaterThan(199)
    const late = gets('/late', ['200 prompt', '200 late', '503 prompt'])
    const tell = ({ status, durationMs }: Answer) => `${status} ${durationMs >= 1_950 ? 'late' : 'prompt'}`
    const stands = [
      { policy: { traffic: { routes } }, look },
      { policy: { traffic: { fault } }, look: lookAtAll },
    ]
    await underPolicies(shop, 'faults', stands, {
      others: gets('/', [200, 200, 503]),
      broken: gets('/broken', [200, 418, 503]),
      late: { ...late, tell },
    })
  })

  it('and a copy for another version, whose failures nobody gets', async () => {
    const { mesh } = shop
    await mesh.behave('v2', { failShare: 1 })
    const copied = async (path: string) => {
      const before = await mesh.received('v2')
      expect(await mesh.requestShare(200, {}, { path })).toMatchObject({
        byVersion: { v1: 200 },
        byStatus: { 200: 200 },
      })
      await until('all were copied', 20_000, async () => (await mesh.received('v2')) - before >= 200)
    }
    const mirror = { version: 'v2', percent: 100 }
    const routes = [{ name: 'copied', match: [{ path: { prefix: '/copied' } }], mirror }]
    const ofTheRoute = async () => {
      await copied('/copied/a')
      const before = await mesh.received('v2')
      await mesh.requestShare(200)
      expect(await mesh.received('v2')).toBe(before)
    }
    const stands = [
      { policy: { traffic: { mirror } }, look: () => copied('/') },
      { policy: { traffic: { routes } }, look: ofTheRoute },
    ]
    const tell = ({ status, version }: Answer) => `${status} ${version}`
    const kinds = { all: { ...gets('/', ['200 v1', '200 v1', '200 v1']), tell } }
    await underPolicies(shop, 'copies', stands, kinds)
    const after = await mesh.received('v2')
    await mesh.requestShare(100)
    expect(await mesh.received('v2')).toBe(after)
  })

  it('to versions by fixed weights', async () => {
    const look = async () => {
      const { byVersion } = await shop.mesh.requestShare(800)
      const share = (byVersion.v2 ?? 0) / 800
      measured(`fixed weights: ${(100 * share).toFixed(1)} % of 800 at 30 %`)
      expect(Math.abs(share - 0.3)).toBeLessThan(0.065)
    }
    await underPolicies(shop, 'weights', [{ policy: { traffic: { weights: { v1: 70, v2: 30 } } }, look }], {
      all: gets('/', [200, 200]),
    })
    expect((await shop.mesh.requestShare(100)).byVersion).toEqual({ v1: 100 })
  })

  it('told of in the access log of its proxies: all of them, those that fail, none', async () => {
    const log = () => ['v1', 'v2'].map((pod) => readFileSync(`${dir}/mesh/web-${pod}/sidecar.log`, 'utf8')).join('')
    const ask = async (path: string) => {
      await shop.mesh.send({}, { path: `${path}/good` })
      await shop.mesh.send({ 'app-fail-tries': '9' }, { path: `${path}/bad` })
    }
    /** Lines are written in their order: what comes after would be there too. */
    const told = async (path: string, wanted: readonly string[]) => {
      await ask(path)
      if (wanted.length > 0) await until('it is told', 20_000, () => log().includes(`${path}/bad`))
      expect(['good', 'bad'].filter((end) => log().includes(`${path}/${end}`))).toEqual(wanted)
    }
    const stands = [
      { policy: { telemetry: { accessLog: 'all' } }, look: () => told('/all', ['good', 'bad']) },
      { policy: { telemetry: { accessLog: 'errors' } }, look: () => told('/errors', ['bad']) },
      { policy: { telemetry: { accessLog: 'off' } }, look: () => told('/off', []) },
    ]
    await underPolicies(shop, 'access log', stands, { all: gets('/', [200, 200, 200, 200]) })
    expect(log()).not.toContain('/off/')
  })
})
