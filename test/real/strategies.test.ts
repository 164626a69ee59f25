import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Callers, startCallers } from './parts/callers.ts'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type Product, startProduct } from './parts/product.ts'
import { type RealCluster, startRealCluster } from './parts/real-cluster.ts'
import { type Followed, howEnded, startRollout, windowsOf, within } from './parts/rollouts.ts'
import { scratchFolder } from './parts/scratch.ts'
import { expectAllOn, registerCluster, registerShop } from './parts/shop.ts'
import { metBy, startStickyClients, wentAway } from './parts/sticky-clients.ts'
import { countAnswers, type Headers } from './parts/traffic.ts'
import { until } from './parts/wait.ts'

const GATES = [{ kind: 'errors', limitPercent: 1 }]
const QUICK = { bake: '4s', gates: GATES }
const ASKED: Headers = { 'x-preview': 'true', cookie: 'theme=dark; group=b' }
const AFFINITY = { cookie: 'web-version', maxAge: '1h' }
const PREVIEW = { match: [{ headers: { 'x-preview': { exact: 'true' } } }], for: '8s' }
const GROUP_B = { match: [{ cookie: { name: 'group', value: 'b' } }], for: '8s', approval: true }

/**
 * What is no canary by steps, seen in the answers of a real mesh: of its callers some ask for the candidate, by a header and a
 * cookie, the others do not. Each test goes on from the routes that the one before it left.
 */
describeReal('Strategies on a real mesh', 'mesh', (parts) => {
  const dir = scratchFolder()
  let cluster: RealCluster
  let product: Product
  let callers: Callers

  beforeAll(async () => {
    cluster = await startRealCluster({ parts, dir })
    product = await startProduct({ dir: `${dir}/product`, clusters: [cluster.api] })
    callers = startCallers(cluster.mesh, ASKED)
    await registerCluster(product, cluster, cluster.prometheus)
    await registerShop(product, [cluster])
  })

  afterAll(async () => {
    await callers?.stop()
    await product?.kill()
    await cluster?.stop()
  })

  beforeEach(() => callers.beginTest())
  afterEach(() => callers.endTest())

  it('blue/green: a preview for those who ask, then all requests in one switch', async () => {
    const request = { ...QUICK, candidate: 'v2', strategy: 'blue-green', steps: [PREVIEW] }
    const rollout = await startRollout(product, request)
    expect(howEnded(await rollout.end())).toBe('succeeded')
    const [preview, all] = windowsOf(rollout, [0, 100])
    expect(callers.answeredBy(preview)).toEqual(['v2', 'v1'])
    expect(callers.answeredBy(all)).toEqual(['v2', 'v2'])
    await expectAllOn(product, cluster, 'v2')
    const [asked, others] = callers.sentIn(preview)
    measured(
      `blue/green: while the preview was live ${asked} requests that asked got v2, ${others} others v1; after the switch all got v2; none was lost`,
    )
  })

  it('blue/green: only those who ask meet a bad version, and it is taken back', async () => {
    await callers.asking.harm('v1')
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1', steps: [{ ...PREVIEW, for: '60s' }] })
    expect(await rollout.end()).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded' })
    await expectAllOn(product, cluster, 'v2')
    const seen = countAnswers(callers.others.ofThisTest())
    expect(seen).toMatchObject({ byVersion: { v2: seen.total }, byStatus: { 200: seen.total } })
    const failed = countAnswers(callers.asking.ofThisTest()).byStatus[500] ?? 0
    measured(`blue/green, bad version: ${failed} requests that asked failed, none of ${seen.total} others`)
  })

  it('A/B by cookie: the group has the version for its time, and keeps it no longer when that is refused', async () => {
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1', steps: [GROUP_B] })
    await groupHas(rollout, 'v1', 'v2')
    await product.must('approver', 'POST', `/rollouts/${rollout.id}/reject`, { note: 'B is not better' })
    expect(await rollout.end()).toMatchObject({ phase: 'rolled-back', cause: 'reject' })
    const fromMs = Date.now()
    await callers.more(150)
    expect(callers.answeredBy({ fromMs })).toEqual(['v2', 'v2'])
  })

  it('A/B by header: all get the version when that is approved', async () => {
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1', steps: [{ ...PREVIEW, approval: true }] })
    await groupHas(rollout, 'v1', 'v2')
    await product.must('approver', 'POST', `/rollouts/${rollout.id}/approve`)
    expect(await rollout.end()).toMatchObject({ phase: 'succeeded' })
    await expectAllOn(product, cluster, 'v1')
  })

  /** From the time that the match is live, while an approver is waited for too, the group has one version and all others another. */
  async function groupHas(rollout: Followed, version: string, stable: string): Promise<void> {
    await rollout.until('waits for an approver', ({ phase }) => phase === 'awaiting-approval')
    await callers.more(150)
    const [{ fromMs }] = windowsOf(rollout, [0])
    const span = { fromMs }
    expect(callers.answeredBy(span)).toEqual([version, stable])
    const [group, others] = callers.sentIn(span)
    measured(
      `A/B: ${group} requests of the group got ${version}, ${others} others ${stable} in ${((Date.now() - fromMs) / 1000).toFixed(0)} s; none was lost`,
    )
  }

  it('mirror first: copies of the asked share go to a version that nobody gets an answer of, then weights', async () => {
    const steps = [
      { mirror: 40, for: '12s' },
      { weight: 30, for: '8s' },
    ]
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v2', steps })
    await rollout.until('has its copies live', ({ step, liveAt }) => step === 0 && liveAt !== undefined)
    const [sent, received] = [callers.ofThisTest().length, await cluster.mesh.received('v2')]
    await callers.more(300)
    const copies = (await cluster.mesh.received('v2')) - received
    const all = callers.ofThisTest().length - sent
    expect(howEnded(await rollout.end())).toBe('succeeded')
    const [mirror, weights] = windowsOf(rollout, [0, 30, 100])
    expect(callers.answeredBy(mirror)).toEqual(['v1', 'v1'])
    expect(callers.answeredBy(weights)).toEqual(['v1 and v2', 'v1 and v2'])
    // Of 800 requests a share of 40 % is off by 9 points less than once in 10,000 times; what is under way at both ends adds some.
    expect(Math.abs((100 * copies) / all - 40)).toBeLessThan(10)
    await expectAllOn(product, cluster, 'v2')
    measured(
      `mirror: v2 received ${copies} copies of ${all} requests (${((100 * copies) / all).toFixed(1)} % of 40 %), all answered by v1; none was lost`,
    )
  })

  it('mirror: a slow and failing version hurts no answer, and is taken back before it gives one', async () => {
    await cluster.mesh.behave('v1', { failShare: 0.5, delayMs: 3_000 })
    const received = await cluster.mesh.received('v1')
    const steps = [
      { mirror: 50, for: '60s' },
      { weight: 50, for: '60s' },
    ]
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1', steps })
    expect(await rollout.end()).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded' })
    await cluster.mesh.behave('v1', {})
    const answers = callers.ofThisTest()
    const { total, byVersion, byStatus } = countAnswers(answers)
    expect({ byVersion, byStatus }).toEqual({ byVersion: { v2: total }, byStatus: { 200: total } })
    const slowestMs = Math.max(...answers.map(({ durationMs }) => durationMs))
    expect(slowestMs).toBeLessThan(2_500)
    const copies = (await cluster.mesh.received('v1')) - received
    measured(
      `mirror, bad version: ${copies} copies answered by 3 s and 50 % 500s; ${total} answers to callers, none failed, the slowest ${slowestMs.toFixed(0)} ms`,
    )
  })

  it('affinity: a client that once got the candidate stays with it from step to step', async () => {
    const sticky = startStickyClients(cluster.mesh, { count: 60, perSecond: 60, seconds: 300 })
    const steps = [20, 40].map((weight) => ({ weight, for: '8s' }))
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1', steps, affinity: AFFINITY })
    await rollout.until('is promoted', ({ phase }) => phase === 'promoting')
    const met = metBy(sticky.answers, 'v1')
    expect(howEnded(await rollout.end())).toBe('succeeded')
    const answers = await sticky.stop()
    expect(met).toBeGreaterThan(30)
    expect(wentAway(answers, 'v1')).toEqual([])
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    await expectAllOn(product, cluster, 'v1')
    measured(
      `affinity: ${met} of 60 clients met the candidate at 20 and 40 %; of ${answers.length} requests none went back to stable after that`,
    )
  })

  it('affinity: the cookie of a rollout that is over means nothing in the next', async () => {
    const request = { ...QUICK, candidate: 'v2', steps: [{ weight: 10, for: '60s' }], affinity: AFFINITY }
    const first = await startRollout(product, request)
    const cookie = await until('a client met the candidate', 60_000, async () => (await cluster.mesh.send()).cookie)
    expect((await cluster.mesh.requestShare(100, { cookie })).byVersion).toEqual({ v2: 100 })
    await abort(first)
    expect((await cluster.mesh.requestShare(100, { cookie })).byVersion).toEqual({ v1: 100 })
    const second = await startRollout(product, request)
    await second.until('is live', ({ weight, liveAt }) => weight === 10 && liveAt !== undefined)
    const { byVersion } = await cluster.mesh.requestShare(200, { cookie })
    expect(byVersion.v1).toBeGreaterThan(100)
    await abort(second)
  })

  async function abort(rollout: Followed): Promise<void> {
    await product.must('deployer', 'POST', `/rollouts/${rollout.id}/abort`, { note: 'seen enough' })
    expect((await rollout.end()).phase).toBe('aborted')
    await expectAllOn(product, cluster, 'v1')
  }

  it('weights beside a match: who asks has the version at every weight', async () => {
    const steps = [20, 50].map((weight) => ({ ...PREVIEW, weight }))
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v2', steps })
    expect(howEnded(await rollout.end())).toBe('succeeded')
    const [at20, at50] = windowsOf(rollout, [20, 50, 100])
    for (const window of [at20, at50]) {
      expect(callers.answeredBy(window)).toEqual(['v2', 'v1 and v2'])
      const { total, byVersion } = countAnswers(within(callers.others.answers, window))
      const share = (100 * (byVersion.v2 ?? 0)) / total
      // 600 answers of others: 10 points at 50 % are more than 4 sigma.
      expect(Math.abs(share - window.weight)).toBeLessThan(10)
      measured(`match and ${window.weight} %: who asked got v2 alone, of the others ${share.toFixed(1)} %`)
    }
    await expectAllOn(product, cluster, 'v2')
  })
})
