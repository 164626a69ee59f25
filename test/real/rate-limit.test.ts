import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type PolicyShop, startPolicyShop } from './parts/policy-shop.ts'
import { scratchFolder } from './parts/scratch.ts'
import { until } from './parts/wait.ts'

/** What a Pod takes, by a real proxy with the filter that Meshwright puts into it. */
describeReal('a rate limit', 'mesh', (parts) => {
  const dir = scratchFolder()
  let shop: PolicyShop

  beforeAll(async () => {
    shop = await startPolicyShop({ parts, dir, mesh: { mtls: 'STRICT' } })
  })
  afterAll(() => shop?.stop())

  const sent = async (requests: number) => (await shop.mesh.requestShare(requests)).byStatus
  const limit = { rateLimit: { requests: 5, per: 'second', burst: 8 } }

  it('is refused before it is stored where the cluster allows no EnvoyFilter', async () => {
    const answer = await shop.product.call('deployer', 'PATCH', '/services/shop/web', { traffic: limit })
    expect(answer).toMatchObject({ status: 422, body: { code: 'UnsupportedFeature' } })
    expect(JSON.stringify(answer.body)).toContain('mesh.envoyFilters')
  })

  it('lets so many requests in to each Pod and answers 429 to the rest, and goes without a trace', async () => {
    const mesh = { envoyFilters: true }
    await shop.product.must('operator', 'PATCH', '/clusters/real', { mesh })
    expect(await sent(60)).toEqual({ 200: 60 })
    await shop.put({ traffic: limit })
    await until('the proxies have it', 30_000, async () => ((await sent(60))[429] ?? 0) > 0)
    await until('the buckets fill again', 30_000, async () => (await sent(1))[200] === 1)
    const began = performance.now()
    const { 200: letIn = 0, 429: refused = 0, ...others } = await sent(100)
    const seconds = (performance.now() - began) / 1000
    expect(others).toEqual({})
    // Two Pods: what was in a bucket of 8, and 5 a second.
    expect(letIn).toBeGreaterThan(0)
    expect(letIn).toBeLessThanOrEqual(2 * (8 + 5 * (seconds + 1)))
    expect(refused).toBeGreaterThan(0)
    const text = `in ${seconds.toFixed(2)} s ${letIn} let in, ${refused} answered 429`
    measured(`rate limit of 5 a second, 8 at once, on two Pods: ${text}`)
    await shop.put({})
    await until('the proxies let all in', 30_000, async () => (await sent(40))[429] === undefined)
    expect(await sent(60)).toEqual({ 200: 60 })
  })
})
