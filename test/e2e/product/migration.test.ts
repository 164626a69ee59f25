import { afterEach, expect, test } from 'vitest'
import type { ClusterView } from '../../../src/http/views/cluster-view.ts'
import type { PlacementView } from '../../../src/http/views/service-view.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import { CLUSTER_ADMIN_TOKEN } from '../../../src/sandbox/emulated-cluster.ts'
import { osmDefinitions } from '../../../src/sandbox/emulators/kubernetes/osm-definitions.ts'
import { demo, REPLACEMENTS } from '../../unit/mesh/osm/migration/demo.ts'
import { type Product, startProduct } from './product.ts'
import { until } from './until.ts'

let product: Product
afterEach(() => product.close())

const NAMESPACES = ['bookbuyer', 'bookthief', 'bookstore', 'bookwarehouse']
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const PLURALS = new Map<string, string>([
  ['Namespace', 'namespaces'],
  ['Service', 'services'],
  ['Deployment', 'deployments'],
  ...osmDefinitions().map(({ spec }): [string, string] => {
    const { names } = spec as { names: { kind: string; plural: string } }
    return [names.kind, names.plural]
  }),
])

interface Migration {
  readonly stage: string
  readonly digest: string
  readonly ready: boolean
  readonly findings: readonly { readonly code: string }[]
  readonly services: readonly {
    readonly name: string
    readonly result: string
    readonly plan?: { changes: { ref: { kind: string }; action: string }[] }
  }[]
  readonly applied?: { readonly value: readonly { readonly result: string }[]; readonly failed: number }
}

/** Creates an object on an emulated cluster, as an administrator of it. */
async function create(cluster: string, path: string, object: unknown): Promise<void> {
  const response = await fetch(`${new URL(product.file.world ?? '').origin}/kubernetes/${cluster}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${CLUSTER_ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(object),
  })
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
}

async function list(cluster: string, path: string): Promise<readonly KubeObject[]> {
  const response = await fetch(`${new URL(product.file.world ?? '').origin}/kubernetes/${cluster}${path}`, {
    headers: { authorization: `Bearer ${CLUSTER_ADMIN_TOKEN}` },
  })
  return ((await response.json()) as { items: KubeObject[] }).items
}

function pathOf({ apiVersion, kind, metadata: { namespace } }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return `${root}${namespace ? `/namespaces/${namespace}` : ''}/${PLURALS.get(kind)}`
}

/** A sandbox whose cluster east has Open Service Mesh with its demo, and whose cluster west has Istio. */
async function start(): Promise<void> {
  product = await startProduct('--empty')
  for (const definition of osmDefinitions()) await create('east', DEFINITIONS, definition)
  const { unseen: _, namespaces, ...objects } = demo()
  for (const object of [...namespaces, ...Object.values(objects).flat()]) {
    if (object.metadata.name === 'kube-system') continue
    if (object.metadata.namespace === 'kube-system') await ensureNamespace('kube-system')
    await create('east', pathOf(object), object)
  }
  await put('/teams/books', { namespaces: NAMESPACES, groups: [] })
  await put('/clusters/east?wait=30s', { kubeconfig: { context: 'east' }, mesh: { provider: 'osm' } })
  await put('/clusters/west?wait=30s', { kubeconfig: { context: 'west' } })
}

async function ensureNamespace(name: string): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  await create('east', '/api/v1/namespaces', namespace).catch((error: Error) => {
    if (!error.message.includes('409')) throw error
  })
}

async function put(path: string, body: object): Promise<void> {
  const answer = await product.call('PUT', path, { body })
  if (answer.status > 201) throw new Error(`PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}

/** The demo's Pods on a cluster, with proxies of Istio and endpoints. */
async function deploy(cluster: string): Promise<void> {
  const version = (app: string, name: string) => ({ pods: 1, labels: { app, version: name } })
  const stores = { v1: version('bookstore', 'v1'), v2: version('bookstore', 'v2') }
  const demand = { requestsPerSecond: 5 }
  const at = `/clusters/${cluster}/services`
  await product.world('PUT', `${at}/bookstore/bookstore`, { port: 14001, versions: stores, demand })
  const warehouse = { v1: version('bookwarehouse', 'v1') }
  await product.world('PUT', `${at}/bookwarehouse/bookwarehouse`, { port: 14001, versions: warehouse, demand })
}

async function migrate(body: object): Promise<Migration> {
  const answer = await product.call<Migration>('POST', '/clusters/east/migrations/osm', { body })
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** What of Istio's objects the services' placements hold, once they are live. */
function live(cluster: string): Promise<readonly string[]> {
  const look = async () => {
    const paths = ['/services/bookstore/bookstore', '/services/bookwarehouse/bookwarehouse']
    const answers = await Promise.all(
      paths.map((path) => product.call<{ value: readonly PlacementView[] }>('GET', `${path}/placements`)),
    )
    return answers.flatMap(({ body }) => body.value.filter((one) => one.cluster === cluster))
  }
  const isLive = ({ conditions }: PlacementView) =>
    conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  return until(look, (placements) => placements.length === 2 && placements.every(isLive)).then((placements) =>
    placements.flatMap(({ objects }) => objects.map(({ kind, name }) => `${kind} ${name}`)).sort(),
  )
}

const OBJECTS = [
  'AuthorizationPolicy bookstore-allow',
  'AuthorizationPolicy bookwarehouse-allow',
  'DestinationRule bookstore',
  'DestinationRule bookwarehouse',
  'PeerAuthentication bookstore',
  'PeerAuthentication bookwarehouse',
  'Sidecar bookstore',
  'Sidecar bookwarehouse',
  'VirtualService bookstore',
  'VirtualService bookwarehouse',
]

async function rulesOn(cluster: string): Promise<unknown> {
  const policies = await list(cluster, '/apis/security.istio.io/v1/namespaces/bookstore/authorizationpolicies')
  return policies.map(({ spec }) => spec)
}

const RULES = [
  {
    action: 'ALLOW',
    selector: { matchLabels: { app: 'bookstore' } },
    rules: [
      {
        from: [{ source: { serviceAccounts: ['bookbuyer/bookbuyer'] } }],
        to: [{ operation: { methods: ['GET'], paths: ['/books-bought', '/buy-a-book/new'], ports: ['14001'] } }],
      },
    ],
  },
]

test('the demo moves to a cluster with Istio', { timeout: 120_000 }, async () => {
  await start()
  await deploy('west')
  const body = { target: 'west', replace: REPLACEMENTS, accept: ['PodsWithoutService', 'EgressOpen'] }
  const plan = await migrate(body)
  expect([plan.stage, plan.ready]).toEqual(['target', true])
  expect(plan.services.map(({ name, result }) => `${name} ${result}`)).toEqual([
    'bookstore create',
    'bookwarehouse create',
  ])
  expect(plan.services[0]?.plan?.changes.map(({ ref, action }) => `${action} ${ref.kind}`)).toContain(
    'create AuthorizationPolicy',
  )
  expect((await product.call<{ value: unknown[] }>('GET', '/services')).body.value).toEqual([])

  const { applied } = await migrate({ ...body, apply: true, digest: plan.digest })
  expect([applied?.failed, applied?.value.map(({ result }) => result)]).toEqual([0, ['created', 'created']])
  expect(await live('west')).toEqual(OBJECTS)
  expect(await rulesOn('west')).toEqual(RULES)
  const routes = await list('west', '/apis/networking.istio.io/v1/namespaces/bookstore/virtualservices')
  const [route] = (routes[0]?.spec?.http ?? []) as { route: { destination: { subset: string }; weight: number }[] }[]
  expect(route?.route.map(({ destination, weight }) => [destination.subset, weight])).toEqual([
    ['v1', 50],
    ['v2', 50],
  ])
  // Nothing was written where it came from.
  expect(await list('east', '/apis/split.smi-spec.io/v1alpha2/trafficsplits')).toHaveLength(1)
  expect(await list('east', '/apis/networking.istio.io/v1/virtualservices')).toEqual([])
})

test('the demo changes its mesh in place, within its window', { timeout: 120_000 }, async () => {
  await start()
  const window = {
    from: new Date(Date.now() - 60_000).toISOString(),
    until: new Date(Date.now() + 3_600_000).toISOString(),
  }
  const body = { inPlace: { window }, replace: REPLACEMENTS, accept: ['PodsWithoutService', 'EgressOpen'] }
  const hold = await migrate(body)
  expect([hold.stage, hold.ready]).toEqual(['hold', true])
  await migrate({ ...body, apply: true, digest: hold.digest })
  const east = async () => (await product.call<ClusterView>('GET', '/clusters/east')).body
  // Istio's definitions are there, so the look at the cluster that follows finds it.
  const held = await until(east, ({ detected }) => detected?.provider === 'istio')
  expect(held.mode).toBe('observe')
  expect(await list('east', '/apis/networking.istio.io/v1/virtualservices')).toEqual([])

  await deploy('east')
  const plan = await migrate(body)
  expect([plan.stage, plan.ready]).toEqual(['switch', true])
  const { applied } = await migrate({ ...body, apply: true, digest: plan.digest })
  expect(applied?.failed).toBe(0)
  expect(await live('east')).toEqual(OBJECTS)
  expect(await rulesOn('east')).toEqual(RULES)
})
