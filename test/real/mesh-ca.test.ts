import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outsideCa, type Signing } from '../unit/fakes/outside-ca.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { CA_PARTS, type CaPart, type CaSyncer, type CaTexts, readCa, startCaSyncer } from './parts/ca-folder.ts'
import { describeReal } from './parts/describe-real.ts'
import { measured } from './parts/measured.ts'
import { type Mesh, startMesh } from './parts/mesh.ts'
import { object } from './parts/mesh-objects.ts'
import { type Product, startProduct } from './parts/product.ts'
import { type Prometheus, startPrometheus } from './parts/prometheus.ts'
import { type RealVault, realVault } from './parts/real-vault.ts'
import { scratchFolder } from './parts/scratch.ts'
import {
  certificatesIn,
  fingerprint,
  type Handshakes,
  handshakesOf,
  sidecarCertificates,
  watchLeaves,
} from './parts/sidecar-certificates.ts'
import type { Answer, Load } from './parts/traffic.ts'
import { until } from './parts/wait.ts'

const PER_SECOND = 50
const WORKLOAD_TTL = '1m'
/** Certificates are renewed at half their lifetime; twice that is the time in which each has been. */
const RENEWED_MS = 120_000
const POLL_MS = 1000
/** Two workload TTLs, with what is between them. */
const ROTATED_MS = 600_000

const REAL_CA = {
  purpose: 'mesh-ca',
  cluster: 'real',
  root: { kind: 'vault-key', hsm: false },
  workloadTtl: WORKLOAD_TTL,
}

/** What another CA may get wrong, and in which words it is refused. */
const BAD: readonly (readonly [words: string, how: Signing])[] = [
  ['has not the key of the request', { otherKey: true }],
  ['has expired at', { expiredMs: 3_600_000 }],
  ['CAs below it; the chain has', { tooDeep: true }],
]

/**
 * A real istiod whose CA comes from the emulated Key Vault, and real sidecars, under a steady load of which every request makes a
 * new connection with a handshake of its own.
 */
describeReal('the CA of a real mesh', 'mesh', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let mesh: Mesh
  let prometheus: Prometheus
  let product: Product
  let vault: RealVault
  let syncer: CaSyncer
  let load: Load | undefined
  /** What sidecars had counted when the load began. */
  let countedBefore: Handshakes | undefined

  beforeAll(async () => {
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    mesh = await startMesh({ parts, dir: `${dir}/mesh`, api, workloadTtl: WORKLOAD_TTL, stats: ['listener.'] })
    prometheus = await startPrometheus({ parts, dir: `${dir}/prometheus`, targets: mesh.scrapeTargets })
    product = await startProduct({ dir: `${dir}/product`, clusters: [api], prometheusUrl: prometheus.url })
    vault = realVault(product)
    await write(readCa(mesh.istiod.authorityDir))
    syncer = startCaSyncer(vault, mesh.istiod.authorityDir, POLL_MS)
    await product.must('operator', 'PUT', '/clusters/real?wait=30s', { kubeconfig: { context: api.context } })
    await api.admin.apply([newConnections()])
  })

  afterAll(async () => {
    await load?.stop()
    await syncer?.stop()
    await product?.kill()
    await prometheus?.stop()
    await mesh?.stop()
    await api?.stop()
  })

  describe('changed by hand: the harness tells the truth', () => {
    it('is shown by group of namespaces, with its root', async () => {
      const [root] = rootsIn(readCa(mesh.istiod.authorityDir)['root-cert'])
      const { bundles } = await trusted((report) => report.bundles.length === 1)
      expect(bundles[0]?.roots).toMatchObject([{ fingerprint: root, subject: 'O=mesh, CN=root-authority' }])
      expect(bundles[0]?.examples).toContain('shop')
      await leavesAre(root)
    })

    it('is taken neither with the key of another nor with a root that is not related, and nothing fails', async () => {
      const before = readCa(mesh.istiod.authorityDir)
      const [root] = rootsIn(before['root-cert'])
      const other = authority('other')
      await startLoad()
      await write({ ...before, 'ca-key': other['ca-key'] })
      await istiodSays('Failed to update new Plug-in CA certs')
      await write(other)
      await istiodSays('Updating new ROOT-CA not supported')
      expect((await trusted(() => true)).bundles[0]?.roots).toMatchObject([{ fingerprint: root }])
      await write(before)
      await until('the folder is as before', 20_000, () => CA_PARTS.every((part) => held(part) === before[part]))
      await stopLoad('refused by istiod')
      await leavesAre(root)
    })

    it('changes its root by A, A and B, signer B, B', async () => {
      const a = readCa(mesh.istiod.authorityDir)
      const b = authority('b')
      const [[rootA = ''], [rootB = '']] = [rootsIn(a['root-cert']), rootsIn(b['root-cert'])]
      await startLoad()
      await vault.write('root-cert', a['root-cert'] + b['root-cert'])
      await trusted(({ bundles }) => bundles.length === 1 && bundles[0]?.roots.length === 2)
      await sidecarsTrust([rootA, rootB])
      await write({ ...b, 'root-cert': a['root-cert'] + b['root-cert'] })
      await leavesAre(rootB)
      await vault.write('root-cert', b['root-cert'])
      await trusted(({ bundles }) => bundles.length === 1 && bundles[0]?.roots.length === 1)
      await sidecarsTrust([rootB])
      await stopLoad('root by hand')
      await leavesAre(rootB)
    })
  })

  describe('rotated by Meshwright', { timeout: 900_000 }, () => {
    it('is taken over as the vault holds it', async () => {
      await product.must('operator', 'PUT', '/certificates/real-ca', REAL_CA)
      const { current } = await ca((seen) => seen.current !== undefined)
      expect(current?.roots.map((root) => root.fingerprint)).toEqual(rootsIn(held('root-cert')))
    })

    it('takes no bad chain of another CA: nothing of it reaches the cluster', async () => {
      const before = readCa(mesh.istiod.authorityDir)
      await product.must('operator', 'PUT', '/certificates/real-ca', { ...REAL_CA, root: { kind: 'external' } })
      await product.must('operator', 'POST', '/certificates/real-ca/rotate', { what: 'root' })
      const { rotation } = await ca((seen) => seen.rotation?.csr !== undefined)
      const outside = await outsideCa('company')
      for (const [words, how] of BAD) {
        const chain = await outside.sign(rotation?.csr ?? '', how)
        const body = { chain, root: outside.root }
        const answer = await product.call('operator', 'POST', '/certificates/real-ca/complete', body)
        expect([answer.status, JSON.stringify(answer.body)]).toEqual([422, expect.stringContaining(words)])
      }
      await product.must('operator', 'POST', '/certificates/real-ca/abort')
      await ca((seen) => seen.rotation?.phase === 'aborted')
      expect(readCa(mesh.istiod.authorityDir)).toEqual(before)
      expect(await vault.read('root-cert')).toBe(before['root-cert'])
      await product.must('operator', 'PUT', '/certificates/real-ca', REAL_CA)
    })

    it('gets a root whose key stays in the vault by one call, under load', async () => {
      await rotateUnderLoad('root by one call', 'root')
    })

    it('gets another intermediate by one call, under load', async () => {
      await rotateUnderLoad('intermediate by one call', 'intermediate')
    })

    it('gets another root though Meshwright is killed in three phases', async () => {
      await rotateUnderLoad('root, killed in three phases', 'root', async (id) => {
        for (const phase of ['trusting', 'renewing', 'narrowing']) {
          await ca(({ rotation }) => rotation?.id === id && rotation.phase === phase)
          await product.kill()
          await product.startAgain()
        }
      })
    })

    it('has no key in the log, the events or the answers', async () => {
      const key = held('ca-key')
      const lines = key.split('\n').filter((line) => line.length > 30 && !line.startsWith('-----'))
      expect(lines.length).toBeGreaterThan(2)
      const answers = ['/certificates/real-ca', '/events?limit=1000', '/audit?limit=1000', '/export']
      const texts = await Promise.all(
        answers.map(async (path) => JSON.stringify((await product.call('admin', 'GET', path)).body)),
      )
      const said = [...texts, product.log()].join('\n')
      expect(said).toContain('real-ca')
      for (const line of lines) expect(said).not.toContain(line)
    })
  })

  /** One rotation with a steady load from before it to after it. `meanwhile` is told its id once it has begun. */
  async function rotateUnderLoad(
    title: string,
    what: 'root' | 'intermediate',
    meanwhile: (rotation: string) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const before = await ca((seen) => seen.current !== undefined)
    await startLoad()
    const leaves = watchLeaves(mesh.pods)
    await until('the load runs', 10_000, () => (load?.answers.length ?? 0) >= PER_SECOND)
    const began = performance.now()
    const phases = new Map<string, number>()
    const note = ({ phase }: { readonly phase: string }) => phases.set(phase, phases.get(phase) ?? performance.now())
    const asked = await product.must<CaAnswer>('operator', 'POST', '/certificates/real-ca/rotate', { what })
    const id = asked.rotation?.id ?? ''
    const followed = meanwhile(id)
    const after = await ca(({ rotation }) => {
      if (rotation?.id !== id) return false
      note(rotation)
      return ['succeeded', 'failed', 'aborted'].includes(rotation.phase)
    })
    await followed
    expect(after.rotation).toMatchObject({ phase: 'succeeded' })
    const tookMs = performance.now() - began
    const roots = (after.current?.roots ?? []).map((root) => root.fingerprint)
    await sidecarsTrust(roots)
    await leavesAre(roots[0])
    const seen = await leaves.stop()
    expect(seen.untrusted).toEqual([])
    expect(seen.roots).toEqual(what === 'root' ? [before.current?.roots[0]?.fingerprint, ...roots] : roots)
    expect(seen.signers).toHaveLength(2)
    expect(after.current?.signer.serial).not.toBe(before.current?.signer.serial)
    const times = [...phases].map(([phase, at]) => `${phase} at ${((at - began) / 1000).toFixed(0)} s`).join(', ')
    await stopLoad(`${title}, done after ${(tookMs / 1000).toFixed(0)} s (${times}), ${seen.looks} looks at leaves`)
  }

  /** The mesh CA, once it is as `wanted`. While Meshwright is killed nobody answers. */
  async function ca(wanted: (seen: CaAnswer) => boolean): Promise<CaAnswer> {
    return until('the CA is as wanted', ROTATED_MS, async () => {
      const seen = await product.must<CaAnswer>('viewer', 'GET', '/certificates/real-ca')
      if (wanted(seen)) return seen
      throw new Error(JSON.stringify(seen))
    })
  }

  /** As a person would, the key next to its certificate. */
  async function write(texts: CaTexts): Promise<void> {
    for (const part of CA_PARTS) await vault.write(part, texts[part])
  }

  /** What is in istiod's folder. */
  function held(part: CaPart): string {
    return readCa(mesh.istiod.authorityDir)[part]
  }

  /** A CA that is not in istiod's folder. */
  function authority(name: string): CaTexts {
    execFileSync('bash', [join(import.meta.dirname, 'parts/authority.sh'), dir, name])
    return readCa(join(dir, name))
  }

  async function istiodSays(words: string): Promise<void> {
    const log = () => readFileSync(join(dir, 'mesh/istiod/istiod.log'), 'utf8')
    await until(`istiod says: ${words}`, 30_000, () => log().includes(words))
  }

  async function trusted(wanted: (seen: TrustAnswer) => boolean): Promise<TrustAnswer> {
    return until('bundles are as wanted', 60_000, async () => {
      product.assertAlive()
      const seen = await product.must<TrustAnswer>('viewer', 'GET', '/clusters/real/trust')
      if (wanted(seen)) return seen
      throw new Error(JSON.stringify(seen))
    })
  }

  async function leavesAre(root: string | undefined): Promise<void> {
    await everySidecar(`every leaf is of root ${root}`, async (seen) => seen.root === root)
  }

  async function sidecarsTrust(roots: readonly string[]): Promise<void> {
    // istiod puts them in an order of its own.
    const wanted = [...roots].sort().join()
    await everySidecar('every sidecar trusts the roots', async (seen) => [...seen.roots].sort().join() === wanted)
  }

  async function everySidecar(
    what: string,
    wanted: (seen: Awaited<ReturnType<typeof sidecarCertificates>>) => Promise<boolean>,
  ): Promise<void> {
    await until(what, RENEWED_MS, async () => {
      const seen = await Promise.all(mesh.pods.map(sidecarCertificates))
      for (const one of seen) {
        if (!(await wanted(one))) throw new Error(JSON.stringify({ root: one.root, roots: one.roots }))
      }
      return true
    })
  }

  async function startLoad(): Promise<void> {
    countedBefore = await handshakesOf(mesh.pods)
    load = mesh.startLoad({ perSecond: PER_SECOND, seconds: 3600 })
  }

  /** Ends the load; no request of it may have failed. Says what it was. */
  async function stopLoad(title: string): Promise<readonly Answer[]> {
    const answers = (await load?.stop()) ?? []
    load = undefined
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    const { done, resumed, failed } = await handshakesOf(mesh.pods)
    expect(failed).toBe(countedBefore?.failed)
    const made = done - (countedBefore?.done ?? 0)
    expect(made).toBeGreaterThanOrEqual(answers.length)
    const looked = made - (resumed - (countedBefore?.resumed ?? 0))
    const longest = Math.max(...answers.map(({ durationMs }) => durationMs))
    measured(
      `mesh CA, ${title}: ${answers.length} requests on new connections, 0 failed, longest stall ${longest.toFixed(0)} ms; ${made} handshakes, ${looked} with certificates, the others by tickets`,
    )
    return answers
  }

  /** Each connection serves one request. */
  function newConnections() {
    return object('networking.istio.io/v1', 'DestinationRule', mesh.namespace, 'new-connections', {
      spec: {
        host: mesh.host,
        trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
      },
    })
  }
})

interface CaAnswer {
  readonly current?: {
    readonly signer: { readonly serial: string }
    readonly roots: readonly { readonly fingerprint: string }[]
  }
  readonly rotation?: { readonly id: string; readonly phase: string; readonly csr?: string }
}

interface TrustAnswer {
  readonly bundles: readonly {
    readonly roots: readonly { readonly fingerprint: string; readonly subject: string; readonly notAfter: string }[]
    readonly namespaces: number
    readonly examples: readonly string[]
  }[]
}

function rootsIn(pem: string): readonly string[] {
  return certificatesIn(pem).map(fingerprint)
}
