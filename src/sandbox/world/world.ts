import type { EmulatorContext, Table } from '../emulators/emulator.ts'
import type { SeriesSource } from '../emulators/prometheus/series-source.ts'
import {
  advanceCluster,
  type ClusterRecord,
  type ClusterTraffic,
  expectRoutes,
  openClusterTraffic,
  routeOf,
  serviceTraffic,
  settleCluster,
  type WorldTiming,
} from './cluster-traffic.ts'
import { oneRequest, type RequestResult } from './one-request.ts'
import { PLAIN, shapeOf } from './request-kinds.ts'
import { podKey } from './request-tally.ts'
import type { RouteShare, RouteSource } from './route-source.ts'
import { serviceKey, settlePods } from './world-pods.ts'
import {
  type Caller,
  type ClusterSpec,
  clusterSpec,
  type RequestSpec,
  type ServiceRef,
  type ServiceSpec,
  type WorldPod,
} from './world-spec.ts'

export interface WorldOptions extends EmulatorContext, Partial<WorldTiming> {
  readonly routes: RouteSource
  /** What a cluster's Prometheus scrapes besides the proxies of services; undefined: nothing. */
  readonly moreMetrics?: (cluster: string) => SeriesSource | undefined
}

/**
 * Clusters with services, pods and callers whose requests are simulated: routes and behaviour in, Istio's metrics out. Time
 * comes from `now`; nothing runs by itself, every question first carries the traffic on to now.
 */
export interface World {
  /** Carries all clusters on to now. Worth a call a second, so that little is lost when the process is killed. */
  advance(): void
  /** Call after every write of a route on a cluster, before time passes: the routes are read now and propagate from now. */
  routesChanged(cluster: string): void
  /** Called after services, versions or pods of a cluster have changed, and not for what is there at the start. */
  onChange(listener: (cluster: string) => void): void
  /**
   * Sends one request; undefined when there is no such service. `caller` defaults to the first of the demand, `request` to
   * one of the caller's kinds; no cookie is kept.
   */
  request(ref: ServiceRef, caller?: Caller, request?: RequestSpec): RequestResult | undefined
  /** What the cluster's Prometheus holds. Empty for a cluster that is not there. */
  metrics(cluster: string): SeriesSource
  clusters(): readonly string[]
  cluster(name: string): ClusterRecord | undefined
  /** Creates a cluster or replaces its settings; services stay. */
  putCluster(name: string, spec?: ClusterSpec): void
  /** False when there is no such cluster, as for the calls below. */
  deleteCluster(name: string): boolean
  /** Creates or replaces a service; pods of versions that stay as they are built are kept. */
  putService(ref: ServiceRef, spec: ServiceSpec): boolean
  deleteService(ref: ServiceRef): boolean
  /** Puts another Pod of the same build, with a name and an address of its own, in the place of one. False when it is not there. */
  replacePod(cluster: string, pod: { readonly namespace: string; readonly name: string }): boolean
  /** Ready pods of all versions of a service. */
  pods(ref: ServiceRef): readonly WorldPod[]
  /** What callers follow now with a plain request; undefined: no route. */
  route(ref: ServiceRef): readonly RouteShare[] | undefined
}

/** A world with the clusters that its storage holds. Throws nothing but what the storage and the routes throw. */
export function createWorld(options: WorldOptions): World {
  const state: WorldState = {
    options,
    timing: {
      scrapeIntervalMs: options.scrapeIntervalMs ?? 1000,
      propagationMs: options.propagationMs ?? 200,
      retentionMs: options.retentionMs ?? 2 * 3_600_000,
      maxPoints: options.maxPoints ?? 2_000_000,
    },
    records: options.storage.table('world-clusters'),
    clusters: new Map(),
    listeners: [],
  }
  for (const [name, record] of state.records.entries()) open(state, name, record as ClusterRecord)
  return { ...questions(state), ...changes(state) }
}

interface WorldState {
  readonly options: WorldOptions
  readonly timing: WorldTiming
  readonly records: Table
  readonly clusters: Map<string, ClusterTraffic>
  readonly listeners: ((cluster: string) => void)[]
}

type Changes = 'putCluster' | 'deleteCluster' | 'putService' | 'deleteService' | 'replacePod'

function questions(state: WorldState): Omit<World, Changes> {
  const { now } = state.options
  return {
    advance() {
      for (const cluster of state.clusters.values()) advanceCluster(cluster, now())
    },
    routesChanged(name) {
      const cluster = state.clusters.get(name)
      if (cluster) expectRoutes(cluster, now())
    },
    request(ref, caller, request) {
      const cluster = current(state, ref.cluster)
      const traffic = cluster && serviceTraffic(cluster, ref)
      const from = caller ?? traffic?.spec.demand.callers[0]
      return traffic && from && oneRequest(traffic, from, now(), cluster, request)
    },
    metrics: (name) => ({
      series(matchers, fromMs, toMs) {
        const cluster = current(state, name)
        if (cluster === undefined) return []
        const { metrics, metricsDelayMs } = cluster.record.spec
        const shownMs = metrics === 'late' ? now() - metricsDelayMs : now()
        const until = Math.min(toMs, shownMs)
        const more = state.options.moreMetrics?.(name)?.series(matchers, fromMs, until) ?? []
        return [...cluster.history.series(matchers, fromMs, until), ...more]
      },
    }),
    onChange: (listener) => void state.listeners.push(listener),
    clusters: () => [...state.clusters.keys()].sort(),
    cluster: (name) => state.clusters.get(name)?.record,
    pods: (ref) => podsOf(state.clusters.get(ref.cluster)?.record, ref),
    route(ref) {
      const cluster = current(state, ref.cluster)
      const traffic = cluster && serviceTraffic(cluster, ref)
      const plain = traffic && shapeOf(PLAIN, traffic.spec.port)
      return plain && traffic.rules?.find((rule) => rule.fits(plain))?.shares
    },
  }
}

function changes(state: WorldState): Pick<World, Changes> {
  return {
    putCluster(name, spec = clusterSpec.parse({})) {
      if (change(state, name, (record) => ({ ...record, spec }))) return
      const record: ClusterRecord = { spec, services: {}, pods: [], podsMade: 0 }
      state.records.put(name, record)
      open(state, name, record)
    },
    deleteCluster(name) {
      state.clusters.get(name)?.history.clear()
      state.records.delete(name)
      return state.clusters.delete(name)
    },
    putService: (ref, spec) =>
      change(state, ref.cluster, (record) => ({
        ...record,
        services: { ...record.services, [serviceKey(ref)]: spec },
      })),
    deleteService(ref) {
      const key = serviceKey(ref)
      const cluster = state.clusters.get(ref.cluster)
      if (cluster?.record.services[key] === undefined) return false
      const { [key]: _, ...services } = cluster.record.services
      const changed = change(state, ref.cluster, (record) => ({ ...record, services }))
      cluster.routes.delete(key)
      return changed
    },
    replacePod(name, { namespace, name: podName }) {
      const isIt = (pod: WorldPod) => pod.namespace === namespace && pod.name === podName
      if (!state.clusters.get(name)?.record.pods.some(isIt)) return false
      return change(state, name, (record) => ({ ...record, pods: record.pods.filter((pod) => !isIt(pod)) }))
    },
  }
}

function open(state: WorldState, name: string, record: ClusterRecord): void {
  const { options: context, timing } = state
  state.clusters.set(name, openClusterTraffic(name, record, { context, routeSource: context.routes, timing }))
}

/** A cluster with its traffic carried on to now. */
function current(state: WorldState, name: string): ClusterTraffic | undefined {
  const cluster = state.clusters.get(name)
  if (cluster) advanceCluster(cluster, state.options.now())
  return cluster
}

/** Changes and stores a cluster's record; what came before the change counts under what was before. */
function change(state: WorldState, name: string, edit: (record: ClusterRecord) => ClusterRecord): boolean {
  const cluster = state.clusters.get(name)
  if (cluster === undefined) return false
  settleCluster(cluster, state.options.now())
  const before = cluster.record
  const edited = edit(before)
  cluster.record = { ...edited, ...settlePods(edited, edited.services) }
  state.records.put(name, cluster.record)
  const left = before.pods.filter((pod) => !cluster.record.pods.some((kept) => podKey(kept) === podKey(pod)))
  for (const pod of left) cluster.tally.drop(podKey(pod))
  // What a new service follows is read before somebody writes a route for it.
  for (const key of Object.keys(edited.services)) routeOf(cluster, key)
  for (const listener of state.listeners) listener(name)
  return true
}

function podsOf(record: ClusterRecord | undefined, ref: ServiceRef): readonly WorldPod[] {
  return (record?.pods ?? []).filter((pod) => serviceKey(pod) === serviceKey(ref))
}
