import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type PolicyShop, startPolicyShop } from './parts/policy-shop.ts'
import { scratchFolder } from './parts/scratch.ts'
import { type Answer, countAnswers, type Headers } from './parts/traffic.ts'
import { type Kind, underPolicies } from './parts/under-policies.ts'
import { until } from './parts/wait.ts'

const PODS = ['v1', 'v2', 'v3']

/** One version of three Pods, told apart by their label: each policy goes in through Meshwright, and is taken off again, under load. */
describeReal('which Pods of a version get requests', 'mesh', (parts) => {
  const dir = scratchFolder()
  let shop: PolicyShop

  beforeAll(async () => {
    shop = await startPolicyShop({ parts, dir, mesh: { versions: PODS, clients: [{ name: 'quiet' }] } })
  })
  afterEach(() => shop.mesh.behave('v3', {}))
  afterAll(() => shop?.stop())

  const all = (more: Partial<Kind> = {}): Kind => ({ client: shop.mesh, gets: [200, 200], ...more })

  it('are not those that fail, for a while', async () => {
    const { mesh } = shop
    // What the one Pod fails on purpose is not lost on the way.
    const tell = ({ status, version }: Answer) => (status === 500 && version === 'v3' ? 200 : status)
    // How many at most is left to Meshwright: by Envoy's own measure one of three would never be left out.
    const outliers = { consecutiveErrors: 5, interval: '1s', ejectionTime: '10s' }
    const look = async () => {
      await mesh.behave('v3', { failShare: 1 })
      const before = await mesh.received('v3')
      await until('it is left out', 20_000, async () => (await mesh.requestShare(60)).byVersion.v3 === undefined)
      const failed = (await mesh.received('v3')) - before
      expect(await mesh.requestShare(100)).toMatchObject({ byStatus: { 200: 100 } })
      await mesh.behave('v3', {})
      await until('it is let in again', 60_000, async () => (await mesh.requestShare(60)).byVersion.v3 !== undefined)
      measured(
        `outliers: left out after ${failed} failures, then none of 100 requests failed; let in again once healthy`,
      )
    }
    const bounded = { ...outliers, maxEjectionPercent: 33 }
    const stays = async () => {
      await mesh.behave('v3', { failShare: 1 })
      const before = await mesh.received('v3')
      await until('it gets requests all the same', 20_000, async () => (await mesh.received('v3')) - before > 200)
      await mesh.behave('v3', {})
    }
    const stands = [
      { policy: { traffic: { outliers } }, look },
      { policy: { traffic: { outliers: bounded } }, look: stays },
    ]
    await underPolicies(shop, 'outliers', stands, { all: all({ tell, gets: [200, 200, 200] }) })
  })

  it('are the same for requests that agree in header, cookie, query or source', async () => {
    const { mesh } = shop
    const users = Array.from({ length: 12 }, (_, index) => `user-${index}`)
    const podOf = async (headers: Headers, path = '/') => {
      const { byVersion, byStatus } = await mesh.requestShare(8, headers, { path })
      expect(byStatus).toEqual({ 200: 8 })
      return Object.keys(byVersion).join(' and ')
    }
    const spread = async (pod: (user: string) => Promise<string>) => {
      const pods = await Promise.all(users.map(pod))
      for (const one of pods) expect(PODS).toContain(one)
      expect(new Set(pods).size).toBeGreaterThan(1)
    }
    const cookieOf = async () => (await mesh.send()).cookie ?? ''
    const stands = [
      {
        policy: { traffic: { affinity: { header: 'x-user' } } },
        look: () => spread((user) => podOf({ 'x-user': user })),
      },
      {
        policy: { traffic: { affinity: { cookie: { name: 'id', ttl: '1h' } } } },
        look: () => spread(async () => podOf({ cookie: await cookieOf() })),
      },
      {
        policy: { traffic: { affinity: { query: 'user' } } },
        look: () => spread((user) => podOf({}, `/?user=${user}`)),
      },
      {
        policy: { traffic: { affinity: { sourceIp: true } } },
        look: async () => expect(PODS).toContain(await podOf({})),
      },
    ]
    await underPolicies(shop, 'affinity', stands, { all: all({ gets: [200, 200, 200, 200, 200] }) })
  })

  it('get them in turn, and from one caller no more at a time than is asked', async () => {
    const quiet = shop.mesh.client('quiet')
    const inTurn = async () => {
      const seen: Record<string, number> = {}
      for (let sent = 0; sent < 30; sent += 1) {
        const { version } = await quiet.send()
        seen[`${version}`] = (seen[`${version}`] ?? 0) + 1
      }
      expect(seen).toEqual({ v1: 10, v2: 10, v3: 10 })
    }
    /** Sixty requests at once, of which each takes its second. */
    const atOnce = () => Promise.all(Array.from({ length: 60 }, () => quiet.send({ 'app-delay-ms': '1000' })))
    const refused = async () => expect(countAnswers(await atOnce()).byStatus).toEqual({ 200: 40, 503: 20 })
    const kept = async () => {
      const answers = await atOnce()
      expect(countAnswers(answers).byStatus).toEqual({ 200: 60 })
      expect(answers.filter(({ durationMs }) => durationMs > 1_900).length).toBeGreaterThanOrEqual(20)
    }
    const stands = [
      { policy: { traffic: { loadBalancing: 'round-robin' } }, look: inTurn },
      { policy: { traffic: { connections: { maxRequests: 40 } } }, look: refused },
      // The others wait for a connection.
      { policy: { traffic: { connections: { maxConnections: 40 } } }, look: kept },
    ]
    await underPolicies(shop, 'turns and limits', stands, { all: all({ gets: [200, 200, 200, 200] }) })
  })
})
