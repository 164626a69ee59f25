import { type ApiServer, startApiServer } from './api-server.ts'
import type { KubernetesObject } from './kubernetes.ts'
import { type Mesh, type MeshOptions, startMesh } from './mesh.ts'
import { object } from './mesh-objects.ts'
import { type Product, startProduct } from './product.ts'
import { SANDBOX_GROUP } from './shop.ts'
import { until } from './wait.ts'

/** A service whose policy is given to a running Meshwright, on a real mesh. */
export interface PolicyShop {
  readonly api: ApiServer
  readonly mesh: Mesh
  readonly product: Product
  /** PUTs `shop/web` with this policy in place of the last one, and resolves when Meshwright says that the cluster carries it. */
  put(policy: object): Promise<void>
  /** DELETEs the service, and resolves when Meshwright knows nothing of it any more. */
  remove(): Promise<void>
  /** `Kind name` of all that Meshwright has written into the namespace and not taken away. */
  left(): Promise<readonly string[]>
  stop(): Promise<void>
}

interface ServiceState {
  readonly generation: number
  readonly observedGeneration: number
  readonly conditions: readonly unknown[]
}

/**
 * Starts an API server, a mesh and Meshwright, and registers `shop/web` without any policy (half a minute). `versions` are those of
 * the service; when left out there is one, `all`, of all Pods.
 */
export async function startPolicyShop(options: {
  parts: MeshOptions['parts']
  dir: string
  mesh?: Pick<MeshOptions, 'versions' | 'clients' | 'mtls' | 'issuers'>
  versions?: Readonly<Record<string, { readonly labels: Readonly<Record<string, string>> }>>
  /** Which Istio the cluster shows to have; none when left out, for here istiod runs outside of it. */
  istioVersion?: string
}): Promise<PolicyShop> {
  const { parts, dir, versions = { all: { labels: { app: 'web' } } } } = options
  const started: { stop(): Promise<void> }[] = []
  const stop = async () => {
    for (const one of started.toReversed()) await one.stop()
  }
  try {
    const api = await startApiServer({ parts, dir: `${dir}/api`, crds: [parts.istioCrds] })
    started.push(api)
    const mesh = await startMesh({ ...options.mesh, parts, dir: `${dir}/mesh`, api })
    started.push(mesh)
    if (options.istioVersion !== undefined) await api.admin.apply([istiodDeployment(options.istioVersion)])
    const product = await startProduct({ dir: `${dir}/product`, clusters: [api] })
    started.push({ stop: () => product.kill() })
    await product.must('operator', 'PUT', '/clusters/real', { kubeconfig: { context: api.context } })
    await product.must('admin', 'PUT', '/teams/shop', { namespaces: ['shop'], groups: [SANDBOX_GROUP] })
    const service = {
      team: 'shop',
      clusters: ['real'],
      ports: [{ name: 'http', port: 80, protocol: 'http', targetPort: 9898 }],
      workload: { labels: { app: 'web' } },
      versions,
      initialVersion: Object.keys(versions)[0],
    }
    const put = (policy: object) => putPolicy(product, { ...service, ...policy })
    await put({})
    return { api, mesh, product, put, remove: () => removeService(product), left: () => leftOf(api), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** By its image Meshwright knows the version. */
function istiodDeployment(version: string) {
  const containers = [{ name: 'discovery', image: `istio/pilot:${version}` }]
  const labels = { app: 'istiod' }
  return object('apps/v1', 'Deployment', 'istio-system', 'istiod', {
    labels,
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  })
}

const PATH = '/services/shop/web'

async function putPolicy(product: Product, service: object): Promise<void> {
  const { generation } = await product.must<ServiceState>('deployer', 'PUT', PATH, service)
  await until(`generation ${generation} is carried out`, 90_000, async () => {
    product.assertAlive()
    const { observedGeneration, conditions } = await product.must<ServiceState>('viewer', 'GET', PATH)
    if (observedGeneration >= generation) return true
    throw new Error(JSON.stringify(conditions))
  })
}

async function removeService(product: Product): Promise<void> {
  await product.must('deployer', 'DELETE', PATH)
  await until('the service is gone', 90_000, async () => {
    product.assertAlive()
    return (await product.call('viewer', 'GET', PATH)).status === 404
  })
}

const WRITTEN = {
  'networking.istio.io/v1': ['destinationrules', 'virtualservices', 'serviceentries', 'sidecars'],
  'networking.istio.io/v1alpha3': ['envoyfilters'],
  'security.istio.io/v1': ['peerauthentications', 'requestauthentications', 'authorizationpolicies'],
  'telemetry.istio.io/v1': ['telemetries'],
}

async function leftOf({ admin }: ApiServer): Promise<readonly string[]> {
  const paths = Object.entries(WRITTEN).flatMap(([group, kinds]) =>
    kinds.map((kind) => `/apis/${group}/namespaces/shop/${kind}`),
  )
  const lists = await Promise.all(paths.map((path) => admin.call('GET', path)))
  const objects = lists.flatMap(({ body }) => (body as { items: KubernetesObject[] }).items)
  const isOurs = ({ metadata }: KubernetesObject) => JSON.stringify(metadata.managedFields).includes('"meshwright"')
  return objects.filter(isOurs).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
}
