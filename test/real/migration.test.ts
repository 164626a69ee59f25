import { afterAll, beforeAll, expect, it } from 'vitest'
import type { KubeObject } from '../../src/model/kube.ts'
import { demo, REPLACEMENTS } from '../unit/mesh/osm/migration/demo.ts'
import { type Attempt, letsInOf } from '../unit/mesh/osm/migration/oracle.ts'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import type { KubernetesObject } from './parts/kubernetes.ts'
import { measured } from './parts/measured.ts'
import { hostOf, type Mesh, startMesh } from './parts/mesh.ts'
import { type Product, startProduct } from './parts/product.ts'
import { scratchFolder } from './parts/scratch.ts'
import { SANDBOX_GROUP } from './parts/shop.ts'
import type { Client, Target } from './parts/traffic.ts'
import { until } from './parts/wait.ts'

const BOOKSTORE = { namespace: 'bookstore', service: 'bookstore' }
const WAREHOUSE = { namespace: 'bookwarehouse', service: 'bookwarehouse' }
/** The service accounts of the demo, each as a caller. */
const CALLERS = [
  'bookbuyer/bookbuyer',
  'bookthief/bookthief',
  'bookstore/bookstore-v1',
  'bookstore/bookstore-v2',
  'bookwarehouse/bookwarehouse',
]
const HEADERS = { 'user-agent': 'Go-http-client/1.1', 'client-app': 'bookbuyer' }
const REQUESTS = [
  { method: 'GET', path: '/books-bought' },
  { method: 'GET', path: '/buy-a-book/new' },
  { method: 'GET', path: '/buy-a-book' },
  { method: 'POST', path: '/update-books-bought' },
  { method: 'POST', path: '/' },
]

/** Everything may be reached outside: no iptables are here, and Sidecar objects stand in for them. */
const shape = (permissive: boolean) =>
  demo({ permissive, port: { port: 80, targetPort: 9898 }, traffic: { enableEgress: true } })

interface Migration {
  readonly digest: string
  readonly baseline: readonly KubernetesObject[]
  readonly applied?: { readonly failed: number }
}

/** OSM's demo on a real API server with its own definitions, and the same Pods behind real sidecars of Istio. */
describeReal('the migration of the demo of Open Service Mesh', 'mesh', (parts) => {
  const dir = scratchFolder()
  const started: { stop(): Promise<void> }[] = []
  let mesh: Mesh
  let old: ApiServer
  let target: ApiServer
  let product: Product

  beforeAll(async () => {
    old = await startApiServer({ parts, dir: `${dir}/osm`, crds: [parts.osmCrds], context: 'osm' })
    started.push(old)
    target = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    started.push(target)
    mesh = await startMesh({
      parts,
      dir: `${dir}/mesh`,
      api: target,
      named: BOOKSTORE,
      accounts: { v1: 'bookstore-v1', v2: 'bookstore-v2' },
      others: [WAREHOUSE],
      clients: CALLERS.map((caller) => {
        const [namespace = '', serviceAccount = ''] = caller.split('/')
        return { name: `call-as-${serviceAccount}`, namespace, serviceAccount }
      }),
      // So that it is Meshwright's own objects that refuse plain text.
      mtls: 'PERMISSIVE',
    })
    started.push(mesh)
    await load(shape(false))
    product = await startProduct({ dir: `${dir}/product`, clusters: [old, target] })
    started.push({ stop: () => product.kill() })
    const namespaces = ['bookbuyer', 'bookthief', 'bookstore', 'bookwarehouse']
    await product.must('admin', 'PUT', '/teams/books', { namespaces, groups: [SANDBOX_GROUP] })
    await product.must('operator', 'PUT', '/clusters/old?wait=30s', { kubeconfig: { context: old.context } })
    await product.must('operator', 'PUT', '/clusters/new?wait=30s', { kubeconfig: { context: target.context } })
  }, 180_000)
  afterAll(async () => {
    for (const one of started.toReversed()) await one.stop()
  })

  async function load({ unseen: _, namespaces, ...objects }: ReturnType<typeof demo>): Promise<void> {
    const all = [...namespaces, ...Object.values(objects).flat()] as readonly KubeObject[]
    await old.admin.apply(all as unknown as KubernetesObject[])
  }

  const migrate = (body: object) => product.must<Migration>('admin', 'POST', '/clusters/old/migrations/osm', body)

  /** Plans, applies what was planned, and waits until the target carries it. */
  async function carry(body: object): Promise<Migration> {
    const plan = await migrate(body)
    const { applied } = await migrate({ ...body, apply: true, digest: plan.digest })
    expect(applied?.failed).toBe(0)
    for (const path of ['/services/bookstore/bookstore', '/services/bookwarehouse/bookwarehouse']) {
      await until(`${path} is carried out`, 90_000, async () => {
        product.assertAlive()
        const state = await product.must<{ generation: number; observedGeneration: number; conditions: unknown }>(
          'viewer',
          'GET',
          path,
        )
        if (state.observedGeneration >= state.generation) return true
        throw new Error(JSON.stringify(state.conditions))
      })
    }
    return plan
  }

  interface Call {
    readonly words: string
    readonly client: Client
    readonly target: Target
    readonly attempt: Attempt
  }

  /** Every caller with every request to both services; each version of the bookstore has an account of its own. */
  function calls(): readonly Call[] {
    const pods = [
      { ...BOOKSTORE, account: 'bookstore-v1', labels: { app: 'bookstore', version: 'v1' } },
      { ...WAREHOUSE, account: 'bookwarehouse', labels: { app: 'bookwarehouse', version: 'v1' } },
    ]
    return pods.flatMap(({ service, ...pod }) =>
      CALLERS.flatMap((from) =>
        REQUESTS.map((target) => ({
          words: `${from} → ${service} ${target.method} ${target.path}`,
          client: mesh.client(`call-as-${from.split('/')[1]}`, hostOf({ ...pod, service })),
          target,
          attempt: { from, ...pod, port: 9898, http: { ...target, headers: HEADERS } },
        })),
      ),
    )
  }

  /** What each call gets, in eight tries so that both versions are asked: `200`, `403`, or both. */
  async function statuses(all: readonly Call[]): Promise<readonly string[]> {
    const told: string[] = []
    for (const { words, client, target } of all) {
      const { byStatus } = await client.requestShare(8, HEADERS, target)
      told.push(`${words}: ${Object.keys(byStatus).join(' and ')}`)
    }
    return told
  }

  /** Compares what real sidecars do with what Open Service Mesh did, once proxies have taken it. */
  async function expectAsBefore(permissive: boolean): Promise<void> {
    const lets = letsInOf(shape(permissive))
    const all = calls()
    const wanted = all.map(({ words, attempt }) => `${words}: ${lets(attempt) ? 200 : 403}`)
    await until('proxies show the rules', 30_000, async () => {
      const told = await statuses(all)
      const wrong = told.filter((words, at) => words !== wanted[at])
      if (wrong.length > 0) throw new Error(wrong.join('\n'))
      return true
    })
    for (const version of ['v1', 'v2']) expect((await mesh.plainClient(version).send(HEADERS)).status).toBe(0)
    const allowed = wanted.filter((words) => words.endsWith('200')).length
    measured(
      `the demo of Open Service Mesh${permissive ? ' in permissive mode' : ''}: ${all.length} calls on real sidecars as before, ${allowed} of them let in`,
    )
    expect([allowed, all.length]).toEqual([permissive ? 50 : 6, 50])
  }

  it('lets everybody in before', async () => {
    const told = await statuses(calls())
    expect(told.filter((words) => !words.endsWith(': 200'))).toEqual([])
  })

  it('lets in whom TrafficTargets let in, and nobody else', async () => {
    const { baseline } = await carry({ target: 'new', replace: REPLACEMENTS, accept: ['PodsWithoutService'] })
    await target.admin.apply([...baseline])
    await expectAsBefore(false)
    // Half of what is let in goes to each version, as the TrafficSplit says.
    const { byVersion } = await mesh.client('call-as-bookbuyer').requestShare(400, HEADERS, { path: '/books-bought' })
    expect(Object.keys(byVersion).sort()).toEqual(['v1', 'v2'])
    expect(Math.abs((byVersion.v1 ?? 0) - 200)).toBeLessThan(60)
  })

  it('lets in everybody of the mesh in permissive mode', async () => {
    await load(shape(true))
    const overwrite = ['bookstore/bookstore', 'bookwarehouse/bookwarehouse']
    await carry({ target: 'new', overwrite, accept: ['PodsWithoutService'] })
    await expectAsBefore(true)
  })
})
