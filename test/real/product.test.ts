import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type Product, startProduct } from './parts/product.ts'
import { type RealCluster, startRealCluster } from './parts/real-cluster.ts'
import { type Followed, howEnded, readTotals, startRollout, windowsOf, within } from './parts/rollouts.ts'
import { routeWeights } from './parts/routes.ts'
import { scratchFolder } from './parts/scratch.ts'
import { expectAllOn, registerCluster, registerShop } from './parts/shop.ts'
import { type Answer, countAnswers } from './parts/traffic.ts'
import { until } from './parts/wait.ts'
import { type WatchedLoad, watchLoad } from './parts/watched-load.ts'

const PER_SECOND = 150
const GATES = [{ kind: 'errors', limitPercent: 1 }]
const QUICK = { steps: [{ weight: 50, for: '4s' }], bake: '4s', gates: GATES }

/**
 * The real run: Meshwright as `npm start` runs it, a real API server, istiod, sidecars and Prometheus, and a steady load. Each test goes on
 * from the routes that the one before it left.
 */
describeReal('Meshwright on a real mesh', 'mesh', (parts) => {
  const dir = scratchFolder()
  let cluster: RealCluster
  let product: Product
  let load: WatchedLoad

  beforeAll(async () => {
    cluster = await startRealCluster({ parts, dir })
    const { api, prometheus } = cluster
    product = await startProduct({ dir: `${dir}/product`, clusters: [api], prometheusUrl: prometheus.url })
    load = watchLoad(cluster.mesh, PER_SECOND)
  })

  afterAll(async () => {
    await load?.stop()
    await product?.kill()
    await cluster?.stop()
  })

  beforeEach(() => load.beginTest())
  afterEach(() => load.endTest())

  async function evidence(id: string) {
    const { real } = await readTotals(product, id)
    if (real === undefined) throw new Error('nothing was counted')
    const { candidate, stable } = real
    return { candidate, stable, all: candidate.good + candidate.bad }
  }

  it('registers a team, a cluster and a service by REST, and the placement becomes live', async () => {
    await registerCluster(product, cluster)
    await registerShop(product, [cluster])
    expect(await routeWeights(cluster.api)).toEqual({ v1: 100 })
    await expectAllOn(product, cluster, 'v1')
  })

  it('rolls back, by its gate alone, a version that answers 500 to one request in five', async () => {
    await load.harm('v2')
    const rollout = await startRollout(product, { candidate: 'v2', steps: [{ weight: 20, for: '60s' }], gates: GATES })
    const ended = await rollout.end()
    expect(ended).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded' })
    expect(ended.history.findLast(({ to }) => to === 'rolling-back')?.actor.kind).toBe('gate')
    await expectAllOn(product, cluster, 'v1')
    const { candidate, stable, all } = await evidence(rollout.id)
    expect(Math.abs(candidate.bad - all / 5)).toBeLessThanOrEqual(3)
    expect(all).toBeGreaterThanOrEqual(50)
    expect(stable.bad).toBe(0)
    expect(stable.good).toBeGreaterThan(all)
    measured(`harm: rolled back after ${candidate.bad} bad of ${all} requests; ${ended.message}`)
  })

  it('takes the traffic from a candidate inside the call that aborts its rollout', async () => {
    for (const round of [1, 2, 3]) {
      const rollout = await startRollout(product, { ...QUICK, candidate: 'v2', steps: [{ weight: 50, for: '60s' }] })
      await rollout.until('is live', ({ weight, liveAt }) => weight === 50 && liveAt !== undefined)
      expect(await routeWeights(cluster.api)).toEqual({ v1: 50, v2: 50 })
      measured(`abort ${round}: ${await timeAbort(rollout)}`)
      expect((await rollout.end()).phase).toBe('aborted')
      await expectAllOn(product, cluster, 'v1')
    }
  })

  /** Aborts and says after how many milliseconds the routes were written, the call was answered, and the last request reached the candidate. */
  async function timeAbort({ id }: Followed): Promise<string> {
    const [began, beganAt] = [performance.now(), Date.now()]
    const call = product.must('deployer', 'POST', `/rollouts/${id}/abort`, { note: 'timed' })
    const written = until(
      'the routes are written',
      30_000,
      async () => (await routeWeights(cluster.api)).v2 === undefined,
      5,
    ).then(() => performance.now() - began)
    await call
    const answeredMs = performance.now() - began
    expect(await routeWeights(cluster.api)).toEqual({ v1: 100 })
    const writtenMs = await written
    const last = () => load.answers.findLast(({ version }) => version === 'v2')?.at ?? beganAt
    await until('no request reaches the candidate', 20_000, () => Date.now() - last() > 2_000)
    return `routes written after ${writtenMs.toFixed(0)} ms, answered after ${answeredMs.toFixed(0)} ms, last request to the candidate after ${last() - beganAt} ms`
  }

  it('carries a good version to all requests, each step with its share of real answers', async () => {
    const steps = [10, 50].map((weight) => ({ weight, for: '14s' }))
    const rollout = await startRollout(product, { candidate: 'v2', steps, bake: '5s', gates: GATES })
    expect(howEnded(await rollout.end())).toBe('succeeded')
    const windows = windowsOf(rollout, [10, 50, 100])
    for (const window of windows.slice(0, 2)) expectShare(window.weight, within(load.answers, window))
    await expectAllOn(product, cluster, 'v2')
    const toCandidate = (answers: readonly Answer[]) => answers.filter(({ version }) => version === 'v2').length
    const inWindows = toCandidate(windows.flatMap((window) => within(load.answers, window)))
    const { candidate, all } = await evidence(rollout.id)
    expect(candidate.bad).toBe(0)
    // The last second or two of each window has not arrived when it is looked at.
    expect(all).toBeGreaterThan(inWindows * 0.7)
    expect(all).toBeLessThanOrEqual(toCandidate(load.ofThisTest()))
    measured(`evidence: ${all} requests to the candidate counted, ${inWindows} sent while a weight was live`)
  })

  /** Within 5 points: with 1,600 requests a false alarm is rarer than 1 in 10,000 (4 sigma at 50 %). */
  function expectShare(weight: number, answers: readonly Answer[]): void {
    const { total, byVersion } = countAnswers(answers)
    const share = (100 * (byVersion.v2 ?? 0)) / total
    measured(`share at ${weight} %: ${share.toFixed(1)} % (${byVersion.v2 ?? 0} of ${total} answers)`)
    expect(total).toBeGreaterThanOrEqual(1_600)
    expect(Math.abs(share - weight)).toBeLessThan(5)
  }

  it('finishes a rollout after a kill -9 while a step was on its way', async () => {
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1' })
    await rollout.until('progresses', ({ phase, liveAt }) => phase === 'progressing' && liveAt === undefined)
    await killAndStart()
    expect((await rollout.end()).phase).toBe('succeeded')
    await expectAllOn(product, cluster, 'v1')
  })

  it('finishes a rollout after a kill -9 while it was promoting, and one while it was baking', async () => {
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v2' })
    for (const phase of ['promoting', 'baking']) {
      await rollout.until(`is ${phase}`, (seen) => seen.phase === phase)
      await killAndStart()
    }
    expect((await rollout.end()).phase).toBe('succeeded')
    await expectAllOn(product, cluster, 'v2')
  })

  it('finishes the way back after a kill -9 while it was rolling back', async () => {
    await load.harm('v1')
    const rollout = await startRollout(product, { ...QUICK, candidate: 'v1', steps: [{ weight: 20, for: '60s' }] })
    await rollout.until('rolls back', ({ phase }) => phase === 'rolling-back')
    await killAndStart()
    expect(await rollout.end()).toMatchObject({ phase: 'rolled-back', cause: 'gate' })
    await expectAllOn(product, cluster, 'v2')
  })

  async function killAndStart(): Promise<void> {
    const began = performance.now()
    await product.kill()
    await expect(product.call('viewer', 'GET', '/clusters')).rejects.toThrow()
    await product.startAgain()
    measured(`killed, started again and ready within ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }

  it('has sent a steady load all the time', () => {
    measured(`${load.answers.length} requests in all, ${load.skipped()} held back`)
    expect(load.skipped()).toBeLessThan(load.answers.length / 20)
  })
})
