import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type Product, startProduct } from './parts/product.ts'
import { type RealCluster, startTwoClusters } from './parts/real-cluster.ts'
import { readTotals, startRollout } from './parts/rollouts.ts'
import { routeWeights } from './parts/routes.ts'
import { scratchFolder } from './parts/scratch.ts'
import { expectAllOn, registerCluster, registerShop } from './parts/shop.ts'
import { countAnswers } from './parts/traffic.ts'
import { type WatchedLoad, watchLoad } from './parts/watched-load.ts'

const PER_SECOND = 80
const GATES = [{ kind: 'errors', limitPercent: 1 }]

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

  it('takes a version back on both when it does harm on the second only', async () => {
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
    const [onEast, onWest] = [eastLoad, westLoad].map((load) => countAnswers(load.ofThisTest()))
    expect(onEast?.byStatus).toEqual({ 200: onEast?.total })
    expect(onEast?.byVersion.v2).toBeGreaterThan(0)
    const lost = `${onWest?.byStatus[500] ?? 0} requests failed on west, all by v2, none on east`
    measured(`two clusters, harm on the second: both back on v1; ${lost}; ${ended.message}`)
  })

  it('carries a good version to all requests of both', async () => {
    const rollout = await startRollout(product, {
      candidate: 'v2',
      steps: [{ weight: 50, for: '6s' }],
      bake: '4s',
      gates: GATES,
    })
    expect(await rollout.end()).toMatchObject({ phase: 'succeeded', warnings: [] })
    await expectBothOn('v2')
  })
})
