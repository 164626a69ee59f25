import { READ_KINDS, type ReadKind } from '../../../../../src/mesh/osm/migration/kinds.ts'
import type { OsmObjects } from '../../../../../src/mesh/osm/migration/objects.ts'
import type { KubeObject } from '../../../../../src/model/kube.ts'

/** Objects of a cluster of Open Service Mesh, as tests write them down. */
export function object(kind: ReadKind, namespace: string | undefined, name: string, rest: object = {}): KubeObject {
  const { metadata, ...parts } = rest as { metadata?: object }
  return { ...READ_KINDS[kind], metadata: { name, ...(namespace ? { namespace } : {}), ...metadata }, ...parts }
}

export function osmObjects(parts: Partial<OsmObjects> = {}): OsmObjects {
  const none = Object.fromEntries(Object.keys(READ_KINDS).map((kind) => [kind, []])) as unknown as OsmObjects
  return { ...none, unseen: [], ...parts }
}

/** A namespace that the mesh watches, with proxies for its Pods. */
export function namespace(name: string): KubeObject {
  const labels = { 'openservicemesh.io/monitored-by': 'osm' }
  const annotations = { 'openservicemesh.io/sidecar-injection': 'enabled' }
  return object('namespaces', undefined, name, { metadata: { labels, annotations } })
}

export function meshConfig(permissive: boolean, spec: { traffic?: object; featureFlags?: object } = {}): KubeObject {
  const traffic = { enablePermissiveTrafficPolicyMode: permissive, ...spec.traffic }
  return object('meshConfigs', 'kube-system', 'osm-mesh-config', { spec: { ...spec, traffic } })
}

export function service(
  of: string,
  name: string,
  selector: Readonly<Record<string, string>> | undefined,
  ports: readonly object[] = [{ name: `${name}-port`, port: 14001 }],
): KubeObject {
  return object('services', of, name, { spec: { ports, ...(selector ? { selector } : {}) } })
}

export function deployment(
  of: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  account: string,
  containers: readonly object[] = [{ name: 'app', image: 'none' }],
): KubeObject {
  const template = { metadata: { labels }, spec: { serviceAccountName: account, containers } }
  return object('deployments', of, name, { spec: { selector: { matchLabels: labels }, template } })
}

export function trafficTarget(
  of: string,
  name: string,
  to: string,
  from: readonly string[],
  rules: readonly object[],
): KubeObject {
  const sources = from.map((one) => {
    const [namespace, account] = one.split('/')
    return { kind: 'ServiceAccount', name: account, namespace }
  })
  const destination = { kind: 'ServiceAccount', name: to, namespace: of }
  return object('trafficTargets', of, name, { spec: { destination, sources, rules } })
}

export function routeGroup(of: string, name: string, matches: readonly object[]): KubeObject {
  return object('routeGroups', of, name, { spec: { matches } })
}

const BOOKSTORE_ROUTES = [
  {
    name: 'books-bought',
    pathRegex: '/books-bought',
    methods: ['GET'],
    headers: [{ 'user-agent': '.*-http-client/*.*' }, { 'client-app': 'bookbuyer' }],
  },
  { name: 'buy-a-book', pathRegex: '.*a-book.*new', methods: ['GET'] },
  { name: 'update-books-bought', pathRegex: '/update-books-bought', methods: ['POST'] },
]

interface DemoOptions {
  readonly permissive?: boolean
  /** Of the Services; 14001, for Pods too, when left out. */
  readonly port?: { readonly port: number; readonly targetPort: number }
  readonly traffic?: object
}

/** The demo of Open Service Mesh 1.2 as its scripts make it (demo/deploy-*.sh): bookbuyer, bookthief, bookstore v1 and v2, bookwarehouse. */
export function demo({ permissive = false, port, traffic }: DemoOptions = {}): OsmObjects {
  const own = port ?? { port: 14001 }
  const buys = [{ kind: 'HTTPRouteGroup', name: 'bookstore-service-routes', matches: ['buy-a-book', 'books-bought'] }]
  const restocks = [{ kind: 'HTTPRouteGroup', name: 'bookwarehouse-service-routes', matches: ['restock-books'] }]
  return osmObjects({
    meshConfigs: [meshConfig(permissive, traffic ? { traffic } : {})],
    namespaces: [
      ...['bookbuyer', 'bookthief', 'bookstore', 'bookwarehouse'].map(namespace),
      object('namespaces', undefined, 'kube-system'),
    ],
    services: [
      service('bookstore', 'bookstore', { app: 'bookstore' }, [{ name: 'bookstore-port', ...own }]),
      ...['v1', 'v2'].map((version) =>
        service('bookstore', `bookstore-${version}`, { app: 'bookstore', version }, [
          { name: 'bookstore-port', ...own },
        ]),
      ),
      service('bookwarehouse', 'bookwarehouse', { app: 'bookwarehouse' }, [{ name: 'bookwarehouse-port', ...own }]),
    ],
    deployments: [
      deployment('bookbuyer', 'bookbuyer', { app: 'bookbuyer', version: 'v1' }, 'bookbuyer'),
      deployment('bookthief', 'bookthief', { app: 'bookthief' }, 'bookthief'),
      ...['v1', 'v2'].map((version) =>
        deployment('bookstore', `bookstore-${version}`, { app: 'bookstore', version }, `bookstore-${version}`),
      ),
      deployment('bookwarehouse', 'bookwarehouse', { app: 'bookwarehouse', version: 'v1' }, 'bookwarehouse'),
    ],
    trafficSplits: [
      object('trafficSplits', 'bookstore', 'bookstore-split', {
        spec: {
          service: 'bookstore',
          backends: [
            { service: 'bookstore-v1', weight: 50 },
            { service: 'bookstore-v2', weight: 50 },
          ],
        },
      }),
    ],
    trafficTargets: [
      ...['v1', 'v2'].map((version) =>
        trafficTarget(
          'bookstore',
          `bookbuyer-access-bookstore-${version}`,
          `bookstore-${version}`,
          ['bookbuyer/bookbuyer'],
          buys,
        ),
      ),
      trafficTarget(
        'bookwarehouse',
        'bookstore-access-bookwarehouse',
        'bookwarehouse',
        ['bookstore/bookstore-v1', 'bookstore/bookstore-v2'],
        restocks,
      ),
    ],
    routeGroups: [
      routeGroup('bookstore', 'bookstore-service-routes', BOOKSTORE_ROUTES),
      routeGroup('bookwarehouse', 'bookwarehouse-service-routes', [{ name: 'restock-books', methods: ['POST'] }]),
    ],
  })
}

/** What bookbuyer really sends, for the two matches that rules have no words for. */
export const REPLACEMENTS = [
  { routeGroup: 'bookstore/bookstore-service-routes', match: 'buy-a-book', paths: ['/buy-a-book/new'] },
  { routeGroup: 'bookstore/bookstore-service-routes', match: 'books-bought', withoutHeaders: true },
]
