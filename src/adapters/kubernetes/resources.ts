import type { KindRef } from '../../model/kube.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Connection } from './connection.ts'

/** How a kind is addressed: `virtualservices`, within a namespace or not. */
export interface Resource {
  readonly plural: string
  readonly namespaced: boolean
}

const API_VERSION = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?v[a-z0-9]{1,30}$/

const within = (plural: string): Resource => ({ plural, namespaced: true })
const above = (plural: string): Resource => ({ plural, namespaced: false })

/** The kinds that Meshwright itself uses, by group and kind: no discovery request for them. */
const KNOWN: Readonly<Record<string, Resource>> = {
  '/Namespace': above('namespaces'),
  '/Pod': within('pods'),
  '/Service': within('services'),
  '/ServiceAccount': within('serviceaccounts'),
  '/Secret': within('secrets'),
  '/ConfigMap': within('configmaps'),
  'apps/Deployment': within('deployments'),
  'apps/ReplicaSet': within('replicasets'),
  'autoscaling/HorizontalPodAutoscaler': within('horizontalpodautoscalers'),
  'policy/PodDisruptionBudget': within('poddisruptionbudgets'),
  'discovery.k8s.io/EndpointSlice': within('endpointslices'),
  'apiextensions.k8s.io/CustomResourceDefinition': above('customresourcedefinitions'),
  'networking.istio.io/VirtualService': within('virtualservices'),
  'networking.istio.io/DestinationRule': within('destinationrules'),
  'networking.istio.io/ServiceEntry': within('serviceentries'),
  'networking.istio.io/Gateway': within('gateways'),
  'networking.istio.io/WorkloadEntry': within('workloadentries'),
  'networking.istio.io/Sidecar': within('sidecars'),
  'networking.istio.io/EnvoyFilter': within('envoyfilters'),
  'security.istio.io/PeerAuthentication': within('peerauthentications'),
  'security.istio.io/RequestAuthentication': within('requestauthentications'),
  'security.istio.io/AuthorizationPolicy': within('authorizationpolicies'),
  'consul.hashicorp.com/ServiceDefaults': within('servicedefaults'),
  'consul.hashicorp.com/ServiceIntentions': within('serviceintentions'),
  'consul.hashicorp.com/ServiceResolver': within('serviceresolvers'),
  'consul.hashicorp.com/ServiceSplitter': within('servicesplitters'),
  'consul.hashicorp.com/ServiceRouter': within('servicerouters'),
  'split.smi-spec.io/TrafficSplit': within('trafficsplits'),
  'access.smi-spec.io/TrafficTarget': within('traffictargets'),
  'specs.smi-spec.io/HTTPRouteGroup': within('httproutegroups'),
  'policy.openservicemesh.io/UpstreamTrafficSetting': within('upstreamtrafficsettings'),
  'policy.openservicemesh.io/Egress': within('egresses'),
  'config.openservicemesh.io/MeshConfig': within('meshconfigs'),
  'telemetry.istio.io/Telemetry': within('telemetries'),
  'gateway.networking.k8s.io/GatewayClass': above('gatewayclasses'),
  'gateway.networking.k8s.io/Gateway': within('gateways'),
  'gateway.networking.k8s.io/HTTPRoute': within('httproutes'),
  'gateway.networking.k8s.io/GRPCRoute': within('grpcroutes'),
}

/** Finds how a kind is addressed: from the table, else by asking the server, once for each group and version. */
export function resourceFinder(connection: Connection): (kind: KindRef) => Promise<Resource> {
  const asked = new Map<string, Promise<ReadonlyMap<string, Resource>>>()
  return async ({ apiVersion, kind }) => {
    const known = KNOWN[`${groupOf(apiVersion)}/${kind}`]
    if (known) return known
    const path = versionPath(apiVersion, connection.system)
    const asking = asked.get(path) ?? discover(connection, path)
    asked.set(path, asking)
    const found = await asking.catch((error: unknown) => {
      asked.delete(path)
      throw error
    })
    const resource = found.get(kind)
    if (resource) return resource
    // A kind may be installed later: ask again next time.
    asked.delete(path)
    const message = `${connection.system} does not know ${kind} in ${apiVersion}`
    throw new PortError('not-found', connection.system, message, { reason: 'UnknownKind' })
  }
}

/** `/api/v1` or `/apis/GROUP/VERSION`. Throws PortError `invalid` for anything else. */
export function versionPath(apiVersion: string, system: string): string {
  if (!API_VERSION.test(apiVersion)) {
    throw new PortError('invalid', system, `not an apiVersion: ${apiVersion.slice(0, 100)}`)
  }
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}

async function discover(connection: Connection, path: string): Promise<ReadonlyMap<string, Resource>> {
  const list = (await connection.send({ method: 'GET', path })) as {
    readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
  }
  // Names with a slash are subresources.
  const resources = (list.resources ?? []).filter(({ name }) => !name.includes('/'))
  return new Map(resources.map(({ name, kind, namespaced }) => [kind, { plural: name, namespaced }]))
}

/** Kubernetes takes no such names, and they would lead to another path. */
export function pathPart(name: string, system: string): string {
  if (/^\.{0,2}$|[/%]/.test(name)) throw new PortError('invalid', system, `not a name: "${name.slice(0, 100)}"`)
  return encodeURIComponent(name)
}
