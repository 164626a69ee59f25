import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ApiServer, startApiServer } from './parts/api-server.ts'
import { describeReal } from './parts/describe-real.ts'
import { type Product, startProduct } from './parts/product.ts'
import { scratchFolder } from './parts/scratch.ts'
import { until } from './parts/wait.ts'

const GATEWAY = 'gateway.networking.k8s.io/v1'
const NETWORKING = 'networking.istio.io/v1'
const SECURITY = 'security.istio.io/v1'
const crds = (name: string) => new URL(`./crds/${name}.yaml`, import.meta.url).pathname

type Spec = Readonly<Record<string, unknown>>

function object(apiVersion: string, kind: string, place: string, spec?: Spec) {
  const [namespace = '', name = ''] = place.split('/')
  return { apiVersion, kind, metadata: { namespace, name }, ...(spec ? { spec } : {}) }
}

function service(place: string, selector: Spec) {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }]
  return object('v1', 'Service', place, { selector, ports })
}

const VERSIONS = ['v1', 'v2']
const backends = VERSIONS.map((version, index) => ({ name: `web-${version}`, port: 80, weight: index === 0 ? 80 : 20 }))
const routed = (namespace: string) => [
  service(`${namespace}/web`, { app: 'web' }),
  ...VERSIONS.map((version) => service(`${namespace}/web-${version}`, { app: 'web', version })),
]

/** What people have on the cluster, by the mesh that it is for. */
const ON_ISTIO = [
  service('istio-shop/web', { app: 'web' }),
  object(NETWORKING, 'DestinationRule', 'istio-shop/rule', {
    host: 'web',
    trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5, interval: '10s' } },
    subsets: VERSIONS.map((name) => ({ name, labels: { version: name } })),
  }),
  object(NETWORKING, 'VirtualService', 'istio-shop/route', {
    hosts: ['web'],
    http: [
      { match: [{ uri: { exact: '/old' } }], redirect: { uri: '/new', redirectCode: 308 } },
      {
        timeout: '5s',
        route: VERSIONS.map((subset, index) => ({
          destination: { host: 'web', subset },
          weight: index === 0 ? 90 : 10,
        })),
      },
    ],
  }),
  object(SECURITY, 'PeerAuthentication', 'istio-shop/strict', {
    selector: { matchLabels: { app: 'web' } },
    mtls: { mode: 'STRICT' },
  }),
  object(SECURITY, 'AuthorizationPolicy', 'istio-shop/callers', {
    selector: { matchLabels: { app: 'web' } },
    action: 'ALLOW',
    rules: [
      { from: [{ source: { principals: ['*/ns/istio-shop/sa/cart'] } }], to: [{ operation: { methods: ['GET'] } }] },
    ],
  }),
]
const ON_LINKERD = [
  ...routed('linkerd-shop'),
  object(GATEWAY, 'HTTPRoute', 'linkerd-shop/web', {
    parentRefs: [{ group: '', kind: 'Service', name: 'web', port: 80 }],
    rules: [{ backendRefs: backends, timeouts: { request: '2s' } }],
  }),
  object('policy.linkerd.io/v1beta3', 'Server', 'linkerd-shop/web', {
    podSelector: { matchLabels: { app: 'web' } },
    port: 8080,
  }),
]
const AT_GATEWAYS = [
  ...routed('gateway-shop'),
  object(GATEWAY, 'HTTPRoute', 'gateway-shop/web', {
    parentRefs: [{ name: 'public', namespace: 'gateways' }],
    hostnames: ['web.example.com'],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/api' }, method: 'GET' }],
        backendRefs: backends,
        timeouts: { request: '1s' },
      },
      { backendRefs: backends },
    ],
  }),
]
const ALL = [...ON_ISTIO, ...ON_LINKERD, ...AT_GATEWAYS]
const NAMESPACES = ['istio-shop', 'linkerd-shop', 'gateway-shop']

interface Imported {
  readonly value: readonly {
    readonly service: string
    readonly result: string
    readonly spec: Spec
    readonly findings: readonly { readonly code: string; readonly object: string }[]
  }[]
  readonly findings: readonly { readonly code: string; readonly object: string }[]
}

/** A real API server with the CRDs of three meshes, and what people have written there. */
describeReal('an import from a real cluster', 'api', (parts) => {
  const dir = scratchFolder()
  let api: ApiServer
  let product: Product

  beforeAll(async () => {
    const files = [parts.istioCrds, crds('linkerd'), crds('gateway-api-1.5')]
    api = await startApiServer({ parts, dir: `${dir}/api`, crds: files })
    await api.admin.apply(NAMESPACES.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })))
    await api.admin.apply(ALL, 'people')
    const contexts = NAMESPACES.map((context) => ({ ...api, context }))
    product = await startProduct({ dir: `${dir}/product`, clusters: contexts })
    await product.must('admin', 'PUT', '/teams/shop', {
      namespaces: NAMESPACES,
      hosts: ['web.example.com'],
      groups: [],
    })
  }, 300_000)
  afterAll(async () => {
    await product?.kill()
    await api?.stop()
  })

  async function versions(): Promise<readonly string[]> {
    const found = await Promise.all(ALL.map((one) => api.admin.get(one)))
    return found.map(
      (one) => `${one?.kind} ${one?.metadata.namespace}/${one?.metadata.name} ${one?.metadata.resourceVersion}`,
    )
  }

  /** Registers the server by a context as a cluster of a mesh, and imports from it. */
  async function importFrom(context: string, mesh: Spec): Promise<Imported> {
    await product.must('admin', 'PUT', `/clusters/${context}?wait=30s`, { kubeconfig: { context }, mesh })
    return product.must<Imported>('admin', 'POST', `/clusters/${context}/import`, { namespaces: [context] })
  }

  const gateways = { external: { namespace: 'gateways', name: 'public' } }
  const rows = [
    {
      context: 'istio-shop',
      mesh: { provider: 'istio' },
      spec: {
        initialVersion: 'v1',
        traffic: {
          weights: { v1: 90, v2: 10 },
          outliers: { consecutiveErrors: 5 },
          routes: [{ name: 'route-1' }],
          timeout: '5s',
        },
        security: {
          mtls: 'strict',
          authorization: { allow: [{ serviceAccounts: ['istio-shop/cart'], methods: ['GET'] }] },
        },
      },
      left: [],
    },
    {
      context: 'linkerd-shop',
      mesh: { provider: 'linkerd' },
      spec: { traffic: { weights: { v1: 80, v2: 20 }, timeout: '2s' }, versions: { v1: { service: 'web-v1' } } },
      left: ['NotRead Server linkerd-shop/web'],
    },
    {
      context: 'gateway-shop',
      mesh: { provider: 'gateway-api', gateways },
      spec: { exposure: [{ gateway: 'external', host: 'web.example.com' }], traffic: { weights: { v1: 80, v2: 20 } } },
      left: [],
    },
  ]

  it.each(rows)(
    'registers what $context has in observe, and touches nothing',
    { timeout: 120_000 },
    async ({ context, mesh, spec, left }) => {
      const before = await versions()
      const imported = await importFrom(context, mesh)
      expect(imported.value).toMatchObject([{ service: `${context}/web`, result: 'created', findings: [], spec }])
      const told = imported.findings.map(({ code, object }) => `${code} ${object}`)
      expect(told.filter((one) => one.includes(`${context}/`))).toEqual(left)
      const placed = await until('it was looked at', 60_000, async () => {
        const { value } = await product.must<{ value: readonly { conditions: readonly { reason: string }[] }[] }>(
          'admin',
          'GET',
          `/services/${context}/web/placements`,
        )
        return value[0]?.conditions.some(({ reason }) => reason === 'ObserveMode') ? value : undefined
      })
      expect(placed).toHaveLength(1)
      expect(await versions()).toEqual(before)
    },
  )
})
