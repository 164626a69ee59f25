import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestRoot, testRoot } from '../unit/fakes/mesh-authority.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { certificates, installLinkerd, type PlayedLinkerd } from './parts/linkerd.ts'
import { measured } from './parts/measured.ts'
import { withRoles } from './parts/narrow-rights.ts'
import { type Product, startProduct } from './parts/product.ts'
import { scratchFolder } from './parts/scratch.ts'
import { until } from './parts/wait.ts'

const CRDS = new URL('./crds/linkerd.yaml', import.meta.url).pathname
const ROLES = ['cluster-role', 'cluster-role-binding', 'mesh-role-linkerd', 'trust-role', 'linkerd-identity-role']
const MESHED = ['shop/web-1', 'shop/web-2', 'pay/till']
const ROTATED_MS = 110_000
/** Restarts are played so often while one is waited for: not each is late enough to count. */
const RESTART_EVERY_MS = 4000

const CA = {
  purpose: 'linkerd-identity',
  cluster: 'real',
  root: { kind: 'vault-key', hsm: false },
  workloadTtl: '1m',
}

/**
 * A real API server with what Linkerd keeps there, and Meshwright with the rights of its roles and no others. Linkerd itself is
 * played: its Pods are objects that go and come again, and its identity controller takes an issuer as the real one does.
 */
describeReal('the identity of Linkerd', 'api', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let product: Product
  let linkerd: PlayedLinkerd
  let former: TestRoot

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [CRDS] })
    former = await testRoot('installed', Date.now() - 60_000)
    linkerd = await installLinkerd(api.admin, former, MESHED)
    product = await startProduct({ dir: `${dir}/product`, clusters: [await withRoles(api, ROLES)] })
    const cluster = { kubeconfig: { context: api.context }, mesh: { provider: 'linkerd' } }
    await product.must('operator', 'PUT', '/clusters/real?wait=30s', cluster)
  })

  afterAll(async () => {
    await product?.kill()
    await api?.stop()
  })

  it('is taken over with another root by one call, while Pods are restarted as it asks', {
    timeout: 180_000,
  }, async () => {
    const before = await linkerd.live()
    await product.must('operator', 'PUT', '/certificates/real-linkerd', CA)
    const { rotation, phases, tookMs } = await rotated(({ rotation: seen }) => seen?.what === 'root')
    expect(rotation).toMatchObject({ phase: 'succeeded' })
    expect(phases).toEqual(expect.arrayContaining(['widening', 'trusting', 'switching', 'renewing', 'narrowing']))
    const after = await linkerd.live()
    expect(certificates(after.anchors)).toHaveLength(1)
    expect(after.anchors).not.toContain(before.anchors)
    expect(after.key).not.toBe(before.key)
    expect(linkerd.signs()).toBe((await ca()).current?.signer.serial)
    expect(linkerd.wrong).toEqual([])
    measured(
      `Linkerd, root by one call: ${(tookMs / 1000).toFixed(0)} s, ${MESHED.length} Pods, phases ${phases.join(', ')}`,
    )
  })

  it('is what the cluster tells: every Pod started with the anchors that are there', async () => {
    const { anchors } = await linkerd.live()
    const sha256 = createHash('sha256').update(anchors).digest('hex')
    const trust = await product.must<{ linkerd: unknown; workloadTtl: unknown }>(
      'viewer',
      'GET',
      '/clusters/real/trust',
    )
    expect(trust).toMatchObject({
      linkerd: { anchors: [{ sha256, pods: MESHED.length, current: true }], controlPlane: { count: 3 } },
      workloadTtl: { registered: '1m' },
    })
    const access = await product.must<{ allowed: boolean }>('operator', 'GET', '/clusters/real/access')
    expect(access).toMatchObject({ allowed: true })
  })

  it('says no word of a key in its log, events and answers', async () => {
    const { key } = await linkerd.live()
    const lines = key.split('\n').filter((line) => line.length > 30 && !line.startsWith('-----'))
    expect(lines.length).toBeGreaterThan(1)
    const answers = ['/certificates/real-linkerd', '/clusters/real/trust', '/events?limit=1000', '/audit?limit=1000']
    const texts = await Promise.all(
      answers.map(async (path) => JSON.stringify((await product.call('admin', 'GET', path)).body)),
    )
    const said = [...texts, product.log()].join('\n')
    expect(said).toContain('real-linkerd')
    expect(lines.filter((line) => said.includes(line))).toEqual([])
  })

  /** Plays Linkerd, and the person who restarts what is asked for, until a rotation has ended. */
  async function rotated(isIt: (seen: CaAnswer) => boolean) {
    const phases: string[] = []
    const began = performance.now()
    let restarted = 0
    const ended = await until('the rotation has ended', ROTATED_MS, async () => {
      product.assertAlive()
      await linkerd.poll()
      const seen = await ca()
      const { rotation } = seen
      if (!rotation || !isIt(seen)) throw new Error(JSON.stringify(seen))
      if (phases.at(-1) !== rotation.phase) phases.push(rotation.phase)
      if (['succeeded', 'failed', 'aborted'].includes(rotation.phase)) return rotation
      if (performance.now() - restarted > RESTART_EVERY_MS) {
        restarted = performance.now()
        await restartFor(rotation.reason)
      }
      throw new Error(`${rotation.phase} ${rotation.reason}: ${rotation.message}`)
    })
    return { rotation: ended, phases: phases.slice(0, -1), tookMs: performance.now() - began }
  }

  async function restartFor(reason: string): Promise<void> {
    const isForAll = reason === 'WaitsForProxies'
    if (isForAll || reason === 'WaitsForControlPlane') await linkerd.restartControlPlane()
    if (isForAll || reason === 'WaitsForRestarts') await linkerd.restartMeshed()
  }

  function ca(): Promise<CaAnswer> {
    return product.must<CaAnswer>('viewer', 'GET', '/certificates/real-linkerd')
  }
})

interface CaAnswer {
  readonly current?: { readonly signer: { readonly serial: string } }
  readonly rotation?: {
    readonly what: string
    readonly phase: string
    readonly reason: string
    readonly message: string
  }
}
