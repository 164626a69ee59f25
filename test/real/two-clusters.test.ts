import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type Product, startProduct } from './parts/product.ts'
import { type RealCluster, startTwoClusters } from './parts/real-cluster.ts'
import { howEnded, momentOf, readTotals, type SeenRollout, startRollout, windowsOf, within } from './parts/rollouts.ts'
import { routeWeights } from './parts/routes.ts'
import { scratchFolder } from './parts/scratch.ts'
import { expectAllOn, registerCluster, registerShop } from './parts/shop.ts'
import { type Answer, countAnswers } from './parts/traffic.ts'
import { until } from './parts/wait.ts'
import { type WatchedLoad, watchLoad } from './parts/watched-load.ts'

const PER_SECOND = 80
const GATES = [{ kind: 'errors', limitPercent: 1 }]
const WAVES = [
  { clusters: ['east'], steps: [{ weight: 50, for: '5s' }], bake: '4s' },
  { clusters: ['west'], steps: [{ weight: 20, for: '20s' }] },
]

/** One Meshwright over two whole clusters, each under a load of its own: what one of them sees moves the other too. */
describeReal('Meshwright on two real clusters', 'mesh', (parts) => {
  const dir = scratchFolder()
  let east: RealCluster
  let west: RealCluster
  let product: Product
  let eastLoad: WatchedLoad
  let westLoad: WatchedLoad

  beforeAll(async () => {
    ;[east, west] = await startTwoClusters({ parts, dir, names: ['east', 'west'] })
    product = await startProduct({ dir: `${dir}/product`, clusters: [east.api, west.api] })
    eastLoad = watchLoad(east.mesh, PER_SECOND)
    westLoad = watchLoad(west.mesh, PER_SECOND)
    await Promise.all([east, west].map((one) => registerCluster(product, one, one.prometheus)))
    await registerShop(product, [east, west])
  })

  afterAll(async () => {
    await Promise.all([eastLoad?.stop(), westLoad?.stop()])
    await product?.kill()
    await Promise.all([east?.stop(), west?.stop()])
  })

  beforeEach(() => {
    for (const load of [eastLoad, westLoad]) load.beginTest()
  })
  afterEach(async () => {
    for (const load of [eastLoad, westLoad]) await load.endTest()
  })

  async function expectBothOn(version: string): Promise<void> {
    for (const cluster of [east, west]) await expectAllOn(product, cluster, version)
  }

  it('tells the clusters apart: each has its own API server, mesh and applications', async () => {
    await expectBothOn('v1')
    await westLoad.harm('v1')
    expect((await east.mesh.requestShare(300)).byStatus).toEqual({ 200: 300 })
    expect((await west.mesh.requestShare(300)).byStatus[500]).toBeGreaterThan(0)
  })

  it('takes a version back on both when it does harm on one of them', async () => {
    await westLoad.harm('v2')
    const steps = [{ weight: 20, for: '60s' }]
    const rollout = await startRollout(product, { candidate: 'v2', steps, gates: GATES })
    const ended = await rollout.end()
    expect(ended).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded' })
    await expectBothOn('v1')
    expect(await Promise.all([east, west].map(({ api }) => routeWeights(api)))).toEqual([{ v1: 100 }, { v1: 100 }])
    const totals = await readTotals(product, rollout.id)
    expect(totals.east).toMatchObject({ candidate: { bad: 0 }, stable: { bad: 0 } })
    expect(totals.west).toMatchObject({ stable: { bad: 0 } })
    expect(totals.west?.candidate.bad).toBeGreaterThan(5)
    expect(countAnswers(eastLoad.ofThisTest()).byVersion.v2).toBeGreaterThan(0)
  })

  it('goes wave by wave: promoted on the first, harmful on the second, taken back on both', async () => {
    await westLoad.harm('v2')
    const rollout = await startRollout(product, { candidate: 'v2', waves: WAVES, bake: '4s', gates: GATES })
    const ended = await rollout.end()
    expect(ended).toMatchObject({ phase: 'rolled-back', cause: 'gate', reason: 'LimitExceeded', wave: 1 })
    await expectBothOn('v1')
    const [promoted, second] = [momentOf(ended, { reason: 'StepsPassed' }), momentOf(ended, { reason: 'WavePassed' })]
    const harm = momentOf(ended, { to: 'rolling-back' })
    const [eastAnswers, westAnswers] = [eastLoad.ofThisTest(), westLoad.ofThisTest()]
    expect(countAnswers(within(westAnswers, { fromMs: 0, toMs: second })).byVersion.v2).toBeUndefined()
    // What is sent while the weights are on their way may still meet the old ones.
    const between = countAnswers(within(eastAnswers, { fromMs: second, toMs: harm }))
    expect(between.byVersion).toEqual({ v2: between.total })
    const bad = countAnswers(westAnswers).byStatus[500] ?? 0
    expect(bad).toBeGreaterThan(5)
    const lastMs = Math.max(...[eastAnswers, westAnswers].map((answers) => lastOf(answers, 'v2') - harm))
    measured(
      `two waves: east on v2 after ${seconds(promoted, ended)} s, west began after ${seconds(second, ended)} s and did harm after ${seconds(harm, ended)} s (${bad} requests of west failed, all by v2); last request to v2 on any ${lastMs} ms after that; no other request was lost`,
    )
  })

  it('stops where the harm is, if asked to: the first keeps the version, the second goes back', async () => {
    await westLoad.harm('v2')
    const request = { candidate: 'v2', waves: WAVES, bake: '4s', gates: GATES, onHarm: 'freeze' }
    const rollout = await startRollout(product, request)
    const paused = await rollout.until('is frozen', ({ phase }) => phase === 'paused')
    expect(paused.message).toContain('west goes back to stable')
    expect(paused.targets).toMatchObject([
      { cluster: 'east', weight: 100 },
      { cluster: 'west', weight: 0, out: 'harm' },
    ])
    await until('west is back', 20_000, async () => (await west.mesh.requestShare(50)).byVersion.v1 === 50)
    await product.must('deployer', 'POST', `/rollouts/${rollout.id}/resume`)
    expect(await rollout.end()).toMatchObject({ phase: 'succeeded' })
    await expectAllOn(product, east, 'v2')
    await expectAllOn(product, west, 'v1')
  })

  it('brings the second up to the first', async () => {
    const request = {
      candidate: 'v2',
      clusters: ['west'],
      steps: [{ weight: 50, for: '4s' }],
      bake: '4s',
      gates: GATES,
    }
    const rollout = await startRollout(product, request)
    expect(await rollout.end()).toMatchObject({ phase: 'succeeded' })
    await expectBothOn('v2')
  })

  it('carries a good version through both waves, each with its share of real answers', async () => {
    const rollout = await startRollout(product, { candidate: 'v1', waves: WAVES, bake: '4s', gates: GATES })
    expect(howEnded(await rollout.end())).toBe('succeeded')
    await expectBothOn('v1')
    const windows = windowsOf(rollout, [50, 100, 20, 100])
    const [onEast, onWest] = [eastLoad, westLoad].map(({ answers }) =>
      windows.map((window) => percentOf('v1', within(answers, window))),
    )
    // With 400 answers at 50 % a false alarm is rarer than 1 in 10,000.
    expectNear(onEast, [50, 100, 100, 100], 10)
    expectNear(onWest, [0, 0, 20, 100], 10)
    measured(
      `two waves, per cent of answers by the new version: ${onEast} on east, ${onWest} on west (weights 50, 100, then 20, 100)`,
    )
  })

  it('brings what the service says anew to one, and to the other when it is let; weights go to both at once meanwhile', async () => {
    const redirects = () =>
      Promise.all([east, west].map(async ({ mesh }) => (await mesh.send({}, { path: '/old' })).status))
    const route = { name: 'old', match: [{ path: { exact: '/old' } }], redirect: { path: '/new', status: 308 } }
    const change = { traffic: { routes: [route] }, waves: { bake: '1h' } }
    await product.must('deployer', 'PATCH', '/services/shop/web', change)
    await until('east redirects', 30_000, async () => (await redirects())[0] === 308)
    const steps = [{ weight: 50, for: '5m' }]
    const rollout = await startRollout(product, { candidate: 'v2', steps, gates: GATES })
    await until('both share requests', 60_000, async () => {
      const shares = await Promise.all([east, west].map(({ mesh }) => mesh.requestShare(100)))
      return shares.every(({ byVersion }) => (byVersion.v2 ?? 0) > 25)
    })
    await product.must('deployer', 'POST', `/rollouts/${rollout.id}/abort`)
    expect(await rollout.end()).toMatchObject({ phase: 'aborted' })
    await expectBothOn('v1')
    expect(await redirects()).toEqual([308, 200])
    await product.must('deployer', 'PATCH', '/services/shop/web', { waves: 'off' })
    await until('west redirects too', 30_000, async () => (await redirects())[1] === 308)
  })
})

/** In seconds since the rollout began. */
function seconds(atMs: number, { history }: SeenRollout): string {
  return ((atMs - Date.parse(history[0]?.at ?? '')) / 1000).toFixed(1)
}

/** When the last request was sent that this version answered. */
function lastOf(answers: readonly Answer[], version: string): number {
  return Math.max(...answers.filter((one) => one.version === version).map(({ at }) => at))
}

/** Whole per cents of these answers that a version gave. */
function percentOf(version: string, answers: readonly Answer[]): number {
  const { total, byVersion } = countAnswers(answers)
  expect(total).toBeGreaterThan(200)
  return Math.round((100 * (byVersion[version] ?? 0)) / total)
}

/** 0 and 100 are met exactly, what lies between within `points`. */
function expectNear(seen: readonly number[] | undefined, wanted: readonly number[], points: number): void {
  const isNear = (value: number, index: number) => {
    const goal = wanted[index] ?? Number.NaN
    return goal % 100 === 0 ? value === goal : Math.abs(value - goal) < points
  }
  expect(seen?.filter((value, index) => !isNear(value, index))).toEqual([])
}
