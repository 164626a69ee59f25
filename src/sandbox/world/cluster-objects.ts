import type { JsonObject } from '../emulators/kubernetes/json.ts'
import type { SeedObject } from '../emulators/kubernetes/seed.ts'
import type { ClusterRecord } from './cluster-traffic.ts'
import { serviceKey } from './world-pods.ts'
import type { ServiceSpec, WorldPod } from './world-spec.ts'

/** Marks what the world has put on a cluster, so that it takes away nothing else. */
export const WORLD_ANNOTATION = 'sandbox.meshwright.io/world'

/** The kinds that `clusterObjects` makes. */
export const WORLD_KINDS = [
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
] as const

/** Services, Deployments, ready Pods and EndpointSlices for what a cluster of the world holds. */
export function clusterObjects({ services, pods }: Pick<ClusterRecord, 'services' | 'pods'>): SeedObject[] {
  return Object.entries(services).flatMap(([key, spec]) => {
    const [namespace = '', service = ''] = key.split('/')
    const own = pods.filter((pod) => serviceKey(pod) === key)
    return [
      serviceObject(namespace, service, spec),
      ...Object.entries(spec.versions)
        .filter(([, { image }]) => image === undefined)
        .map(([version]) => deployment({ namespace, service, version }, spec, own)),
      ...own.map((pod) => podObject(pod, spec)),
      endpointSlice(namespace, service, spec, own),
    ]
  })
}

function object(
  { apiVersion, kind }: (typeof WORLD_KINDS)[number],
  { namespace, name, labels }: { namespace: string; name: string; labels: Readonly<Record<string, string>> },
  rest: JsonObject,
): SeedObject {
  const metadata = { name, namespace, labels, annotations: { [WORLD_ANNOTATION]: 'true' } }
  return { apiVersion, kind, metadata, ...rest }
}

const [SERVICE, DEPLOYMENT, POD, ENDPOINT_SLICE] = WORLD_KINDS

function serviceObject(namespace: string, name: string, spec: ServiceSpec): SeedObject {
  const ports = [
    { name: spec.protocol, port: spec.port, targetPort: 8080, protocol: 'TCP', appProtocol: spec.protocol },
  ]
  const common = commonLabels(
    Object.entries(spec.versions).map(([version, { labels }]) => labels ?? { app: name, version }),
  )
  // A service of one version selects those that are to come, too.
  const { version: _, ...others } = common
  const selector = Object.keys(others).length === 0 ? common : others
  return object(SERVICE, { namespace, name, labels: { app: name } }, { spec: { type: 'ClusterIP', selector, ports } })
}

function commonLabels(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first = {}, ...others] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((labels) => labels[name] === value)),
  )
}

function deployment(
  { namespace, service, version }: { namespace: string; service: string; version: string },
  spec: ServiceSpec,
  pods: readonly WorldPod[],
): SeedObject {
  const { workload, labels: given } = spec.versions[version] ?? {}
  const labels = given ?? { app: service, version }
  const ready = pods.filter((pod) => pod.version === version).length
  const template = { metadata: { labels }, spec: { containers: [container(service, version)] } }
  return object(
    DEPLOYMENT,
    { namespace, name: workload ?? `${service}-${version}`, labels },
    { spec: { replicas: ready, selector: { matchLabels: labels }, template } },
  )
}

function container(service: string, version: string, image?: string): JsonObject {
  return {
    name: service,
    image: image ?? `registry.example.com/${service}:${version}`,
    ports: [{ containerPort: 8080 }],
  }
}

/** As its Deployment makes it; the mesh's proxy comes with the injector. */
function podObject(pod: WorldPod, { versions }: ServiceSpec): SeedObject {
  const conditions = [{ type: 'Ready', status: 'True' }]
  const rest = {
    spec: { containers: [container(pod.service, pod.version, versions[pod.version]?.image)] },
    status: { phase: 'Running', podIP: pod.ip, podIPs: [{ ip: pod.ip }], conditions },
  }
  return object(POD, pod, rest)
}

function endpointSlice(namespace: string, service: string, spec: ServiceSpec, pods: readonly WorldPod[]): SeedObject {
  const endpoints = pods.map((pod) => ({
    addresses: [pod.ip],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: 'Pod', name: pod.name, namespace },
  }))
  const ports = [{ name: spec.protocol, port: 8080, protocol: 'TCP', appProtocol: spec.protocol }]
  const labels = { 'kubernetes.io/service-name': service }
  return object(
    ENDPOINT_SLICE,
    { namespace, name: `${service}-sandbox`, labels },
    { addressType: 'IPv4', endpoints, ports },
  )
}
