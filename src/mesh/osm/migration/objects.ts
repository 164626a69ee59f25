import type { KubeObject } from '../../../model/kube.ts'
import { READ_KINDS, type ReadKind } from './kinds.ts'

/** What a cluster of Open Service Mesh holds, as it was read. */
export interface OsmObjects extends Readonly<Record<ReadKind, readonly KubeObject[]>> {
  /** Kinds that could not be read and why, a sentence each. */
  readonly unseen: readonly string[]
}

export interface Account {
  readonly name: string
  readonly namespace: string
}

export interface TrafficTargetSpec {
  readonly destination?: Partial<Account>
  readonly sources?: readonly (Partial<Account> & { readonly kind?: string })[]
  readonly rules?: readonly { readonly kind?: string; readonly name?: string; readonly matches?: readonly string[] }[]
}

export interface RouteMatch {
  readonly name: string
  readonly pathRegex?: string
  readonly methods?: readonly string[]
  /** A list of maps in the custom resource, which SMI reads as one map. */
  readonly headers?: readonly Readonly<Record<string, string>>[] | Readonly<Record<string, string>>
}

export interface TrafficSplitSpec {
  readonly service?: string
  readonly backends?: readonly { readonly service?: string; readonly weight?: number }[]
}

export interface KubeServiceSpec {
  readonly type?: string
  readonly selector?: Readonly<Record<string, string>>
  readonly ports?: readonly {
    readonly name?: string
    readonly port: number
    readonly targetPort?: number | string
    readonly appProtocol?: string
  }[]
}

interface PodSpec {
  readonly serviceAccountName?: string
  readonly containers?: readonly {
    readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
  }[]
}

/** Pods of one kind: those of the cluster, and those that Deployments and their like are to have and have not yet. */
export interface Workload {
  /** `Pod bookstore/bookstore-v1-7d…`, `Deployment bookstore/bookstore-v1`. */
  readonly object: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  /** Name of its service account. */
  readonly account: string
  /** Numbers of its ports by name. */
  readonly ports: Readonly<Record<string, number>>
  /** It has the mesh's proxy, or is to have. */
  readonly meshed: boolean
}

/** What the mesh as a whole is set to. */
export interface MeshSettings {
  readonly permissive: boolean
  readonly egressOpen: boolean
  readonly egressPolicy: boolean
  readonly retryPolicy: boolean
  readonly externalAuthorization: boolean
  readonly excludedPorts: readonly number[]
}

/** `bookstore/bookstore-v1`: how rules name a service account. */
export function accountKey({ namespace, name }: Account): string {
  return `${namespace}/${name}`
}

export function specOf<T>(object: KubeObject): T {
  return (object.spec ?? {}) as T
}

/** What the mesh looks at: of its objects those in namespaces that it watches, in the order of names. */
export function onlyWatched(objects: OsmObjects): OsmObjects {
  const namespaces = watchedNamespaces(objects)
  const kept = (Object.keys(READ_KINDS) as ReadKind[]).map((kind) => {
    if (kind === 'meshConfigs' || kind === 'namespaces') return [kind, byName(objects[kind])]
    return [kind, byName(objects[kind].filter(({ metadata }) => namespaces.has(metadata.namespace ?? '')))]
  })
  return { ...(Object.fromEntries(kept) as Record<ReadKind, readonly KubeObject[]>), unseen: objects.unseen }
}

export function watchedNamespaces({ namespaces }: Pick<OsmObjects, 'namespaces'>): ReadonlySet<string> {
  const marked = namespaces.filter(({ metadata }) => metadata.labels?.[MONITORED_BY] !== undefined)
  return new Set(marked.map(({ metadata }) => metadata.name))
}
const MONITORED_BY = 'openservicemesh.io/monitored-by'

function byName(objects: readonly KubeObject[]): readonly KubeObject[] {
  const keyed = objects.map((object) => ({ object, key: `${object.metadata.namespace ?? ''}/${object.metadata.name}` }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ object }) => object)
}

/** Source: MeshConfig of Open Service Mesh 1.2. Where it was not seen, the mesh counts as one that lets nobody in. */
export function meshSettings({ meshConfigs }: Pick<OsmObjects, 'meshConfigs'>): MeshSettings {
  const [config] = meshConfigs
  const { traffic = {}, featureFlags = {} } = (config?.spec ?? {}) as {
    readonly traffic?: {
      readonly enablePermissiveTrafficPolicyMode?: boolean
      readonly enableEgress?: boolean
      readonly inboundExternalAuthorization?: { readonly enable?: boolean }
      readonly inboundPortExclusionList?: readonly number[]
    }
    readonly featureFlags?: { readonly enableEgressPolicy?: boolean; readonly enableRetryPolicy?: boolean }
  }
  return {
    permissive: traffic.enablePermissiveTrafficPolicyMode ?? false,
    egressOpen: traffic.enableEgress ?? false,
    egressPolicy: featureFlags.enableEgressPolicy ?? false,
    retryPolicy: featureFlags.enableRetryPolicy ?? false,
    externalAuthorization: traffic.inboundExternalAuthorization?.enable ?? false,
    excludedPorts: traffic.inboundPortExclusionList ?? [],
  }
}

const INJECTION = 'openservicemesh.io/sidecar-injection'
/** The injector writes it on Pods. */
const PROXY = 'osm-proxy-uuid'
const YES: readonly (string | undefined)[] = ['enabled', 'yes', 'true']

/** Pods that run, and those that Deployments, StatefulSets and DaemonSets are to have: with other labels, or as another account. */
export function workloadsOf(objects: OsmObjects): readonly Workload[] {
  const pods = objects.pods.filter(isRunning).map((pod) => {
    const { metadata } = pod
    return workload(pod, metadata.labels ?? {}, specOf<PodSpec>(pod), metadata.labels?.[PROXY] !== undefined)
  })
  const asking = new Set(
    objects.namespaces
      .filter((one) => YES.includes(one.metadata.annotations?.[INJECTION]))
      .map((one) => one.metadata.name),
  )
  const running = Map.groupBy(pods, ({ namespace }) => namespace)
  const makers = [...objects.deployments, ...objects.statefulSets, ...objects.daemonSets]
  const idle = makers.flatMap((maker): Workload[] => {
    const { template } = specOf<{
      template?: { metadata?: KubeObject['metadata']; spec?: PodSpec }
    }>(maker)
    const labels = template?.metadata?.labels ?? {}
    const { namespace = '' } = maker.metadata
    const asked = template?.metadata?.annotations?.[INJECTION]
    const meshed = asked === undefined ? asking.has(namespace) : YES.includes(asked)
    const wanted = workload(maker, labels, template?.spec ?? {}, meshed)
    const isThere = running.get(namespace)?.some((pod) => pod.account === wanted.account && bears(pod.labels, labels))
    return isThere ? [] : [wanted]
  })
  return [...pods, ...idle]
}

/** Is it to take requests, as against one that has ended, or is ending? */
function isRunning({ metadata, status }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined && !['Succeeded', 'Failed'].includes(String(status?.phase))
}

function workload(object: KubeObject, labels: Workload['labels'], spec: PodSpec, meshed: boolean): Workload {
  const { namespace = '', name } = object.metadata
  const ports = (spec.containers ?? []).flatMap((container) => container.ports ?? [])
  return {
    object: `${object.kind} ${namespace}/${name}`,
    namespace,
    labels,
    account: spec.serviceAccountName ?? 'default',
    ports: Object.fromEntries(ports.flatMap(({ name, containerPort }) => (name ? [[name, containerPort]] : []))),
    meshed,
  }
}

/** Do labels hold all of a selector? */
export function bears(labels: Readonly<Record<string, string>>, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}
