import type { HostRenderer, HostRenderInput, RoutedPath } from '../../mesh/host-renderer.ts'
import { bearsMarks } from '../../mesh/marks.ts'
import { meshOf } from '../../mesh/mesh-of.ts'
import type { Provider } from '../../mesh/provider.ts'
import { requireProvider } from '../../mesh/registry.ts'
import type { ClusterDocument, HostDocument } from '../../model/documents.ts'
import { type GatewaySpec, gatewayOn } from '../../model/gateway.ts'
import { type HeldPath, hostKey } from '../../model/host.ts'
import { serviceKey, splitServiceKey } from '../../model/service.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { Store } from '../../ports/store.ts'
import type { ReconcileDeps } from '../deps.ts'
import type { Prepared } from '../gather.ts'
import type { Stop } from '../situation.ts'

type PreparedHost = { readonly ok: true; readonly value: Prepared } | { readonly ok: false; readonly stop: Stop }

/**
 * Renders a host for a cluster, or says why it cannot be. A path is let in once its service has brought its own part to the
 * cluster, which only the cluster can tell: so it is asked. Throws PortError.
 */
export async function prepareHost(
  deps: Pick<ReconcileDeps, 'store' | 'clusters'>,
  host: HostDocument,
  cluster: ClusterDocument,
): Promise<PreparedHost> {
  const found = rendererFor(host, cluster)
  if ('reason' in found) return { ok: false, stop: found }
  const paths = pathsOn(host, cluster.name)
  const tls = await readTls(deps.store, paths, found.place, cluster.name)
  if ('reason' in tls) return { ok: false, stop: tls }
  const api = await deps.clusters.connect(cluster)
  const there = await Promise.all(paths.map((path) => isThere(api, found.renderer, path)))
  if (!there.includes(true) && (await areObserved(deps.store, paths))) {
    const message = `All services of ${hostKey(host.gateway, host.host)} are registered with mode observe.`
    return { ok: false, stop: waiting('ObserveMode', message) }
  }
  const input: HostRenderInput = {
    gateway: host.gateway,
    host: host.host,
    place: found.place,
    renderRevision: host.renderRevision,
    ...tls,
    routes: paths.filter((_, index) => there[index]),
  }
  const rendered = found.renderer.render(input)
  if (!rendered.ok) return { ok: false, stop: { reason: rendered.failure.code, message: rendered.failure.detail } }
  const provider = hostProvider(found.provider, found.renderer, input)
  const routes = input.routes.map((route) => ({ path: route.path, service: serviceKey(route.namespace, route.name) }))
  const waits = waitsFor(paths.filter((_, index) => !there[index]))
  return {
    ok: true,
    value: { provider, weights: {}, rendered: rendered.steps, host: { routes, ...(waits ? { waits } : {}) } },
  }
}

/** Where each service brings all that its hosts need, only who holds what is kept. */
const NOTHING_OF_ITS_OWN: HostRenderer = {
  kinds: [],
  render: () => ({ ok: true, steps: [] }),
  routeOf: () => undefined,
  isRoute: () => false,
  namingKind: undefined,
  names: () => false,
  conflictKinds: [],
  rivals: () => [],
}

interface Found {
  readonly provider: Provider
  readonly renderer: HostRenderer
  readonly place: GatewaySpec
}

function rendererFor(host: HostDocument, cluster: ClusterDocument): Found | Stop {
  const mesh = meshOf(cluster)
  if (!mesh) return waiting('MeshUnknown', `The mesh of cluster ${cluster.name} is not known yet.`)
  const provider = requireProvider(mesh.provider)
  if (!provider.ok) return { reason: provider.failure.code, message: provider.failure.detail }
  const renderer = provider.value.hosts ?? NOTHING_OF_ITS_OWN
  const place = gatewayOn(cluster, host.gateway)
  if (place) return { provider: provider.value, renderer, place }
  const fix = 'Name it in mesh.gateways of the cluster.'
  return waiting('GatewayUnknown', `Cluster ${cluster.name} has no gateway ${host.gateway}. ${fix}`)
}

type Path = RoutedPath & Omit<HeldPath, 'clusters'>

/** What of a host is held on a cluster, in the order of paths. */
function pathsOn({ holders }: HostDocument, cluster: string): readonly Path[] {
  const all = Object.entries(holders).flatMap(([service, { paths }]) =>
    paths
      .filter(({ clusters }) => Object.hasOwn(clusters, cluster))
      .map(({ clusters: _, ...path }) => ({ ...path, ...splitServiceKey(service) })),
  )
  return all.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

type Tls = Pick<HostRenderInput, 'tlsSecret' | 'redirectHttp'>

/** All services of a host ask for the same. */
async function readTls(
  store: Store,
  [first]: readonly Path[],
  place: GatewaySpec,
  cluster: string,
): Promise<Tls | Stop> {
  const name = first?.certificate
  if (name === undefined) return { redirectHttp: false }
  const [certificate, delivery] = await Promise.all([
    store.read('certificate', name),
    store.read('delivery', `${name}/${cluster}`),
  ])
  if (!certificate) return waiting('CertificateUnknown', `There is no certificate ${name}.`)
  const { secret } = certificate.value.spec
  const missing = `Certificate ${name} is not in namespace ${place.namespace} of cluster ${cluster}`
  if (secret.namespace !== place.namespace)
    return waiting('CertificateElsewhere', `${missing}: it is brought to ${secret.namespace}.`)
  if (!certificate.value.clusters.includes(cluster))
    return waiting('CertificateNotThere', `${missing}: it does not name the cluster.`)
  // An expired or older version is the certificate's affair: to take the host away for it would help nobody.
  if (delivery?.value.heldSerial === undefined) return waiting('CertificateNotThere', `${missing} yet.`)
  return { tlsSecret: secret.name, redirectHttp: first?.redirectHttp ?? false }
}

async function isThere(api: ClusterApi, renderer: HostRenderer, path: Path): Promise<boolean> {
  const route = renderer.routeOf(path)
  const live = route && (await api.get(route))
  return !route || (live !== undefined && bearsMarks(live.metadata, serviceKey(path.namespace, path.name)))
}

/** Are there services, and is none of them written? */
async function areObserved(store: Store, paths: readonly Path[]): Promise<boolean> {
  const keys = [...new Set(paths.map(({ namespace, name }) => serviceKey(namespace, name)))]
  const services = await Promise.all(keys.map((key) => store.read('service', key)))
  return keys.length > 0 && services.every((service) => service?.value.spec.mode === 'observe')
}

function waitsFor(missing: readonly Path[]): Stop | undefined {
  if (missing.length === 0) return undefined
  const named = missing.map(({ namespace, name, path }) => `${path} for ${serviceKey(namespace, name)}`).join(', ')
  return waiting('AwaitsServices', `Services have yet to bring their routes to the cluster: ${named}.`)
}

function waiting(reason: string, message: string): Stop {
  return { reason, message, again: 'poll' }
}

/** The mesh as the writer of a host's objects: nothing of them carries weights. */
function hostProvider(provider: Provider, renderer: HostRenderer, input: HostRenderInput): Provider {
  return {
    ...provider,
    kinds: renderer.kinds,
    conflictKinds: renderer.conflictKinds,
    render: () => {
      throw new RangeError(`${hostKey(input.gateway, input.host)} is no service`)
    },
    stage: (_, desired) => desired,
    liveWeights: () => undefined,
    liveSideRoutes: () => [],
    claims: () => false,
    rivals: (objects) => renderer.rivals(objects, input),
  }
}
