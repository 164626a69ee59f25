import type { EmulatorContext } from '../emulators/emulator.ts'
import { type Chance, seededChance } from './chance.ts'
import type { CookieJars } from './cookie-jars.ts'
import type { TargetLabels } from './history-state.ts'
import { type MetricHistory, openMetricHistory } from './metric-history.ts'
import { callerPod, newRequestTally, podKey, type RequestTally } from './request-tally.ts'
import type { RouteRule, RouteSource } from './route-source.ts'
import { addTraffic, type ServiceTraffic } from './traffic.ts'
import { type PodSet, serviceKey } from './world-pods.ts'
import type { ClusterSpec, ServiceRef, ServiceSpec } from './world-spec.ts'

/** How a world runs. */
export interface WorldTiming {
  readonly scrapeIntervalMs: number
  /** From the write of a route until callers follow it. */
  readonly propagationMs: number
  /** How long samples are kept. */
  readonly retentionMs: number
  /** The most changes of values kept per cluster. */
  readonly maxPoints: number
}

/** What is stored of a cluster: enough to go on after a restart. */
export interface ClusterRecord extends PodSet {
  readonly spec: ClusterSpec
  /** By `namespace/service`. */
  readonly services: Readonly<Record<string, ServiceSpec>>
}

/** By `namespace/service`, as far as read. */
type Routes = Map<string, readonly RouteRule[] | undefined>

/** A cluster with its traffic up to `timeMs`. */
export interface ClusterTraffic {
  readonly name: string
  readonly timing: WorldTiming
  readonly routeSource: RouteSource
  readonly chance: Chance
  readonly history: MetricHistory
  readonly tally: RequestTally
  readonly jars: CookieJars
  record: ClusterRecord
  timeMs: number
  nextScrapeMs: number
  /** What callers follow. */
  routes: Routes
  /** Routes on their way to the callers, in the order of time. */
  readonly coming: { readonly atMs: number; readonly routes: Routes }[]
}

/** Opens a cluster: its stored samples, and traffic from now on. The time that the sandbox stood still stays a gap. */
export function openClusterTraffic(
  name: string,
  record: ClusterRecord,
  { context, routeSource, timing }: { context: EmulatorContext; routeSource: RouteSource; timing: WorldTiming },
): ClusterTraffic {
  const { storage } = context
  const history = openMetricHistory({ ...timing, intervalMs: timing.scrapeIntervalMs, storage, cluster: name })
  const timeMs = Math.max(context.now(), history.lastMs() ?? 0)
  return {
    name,
    timing,
    routeSource,
    chance: seededChance(context.random() * 0x1_0000_0000),
    history,
    tally: newRequestTally(),
    jars: new Map(),
    record,
    timeMs,
    nextScrapeMs: nextScrape(timeMs, timing),
    routes: new Map(),
    coming: [],
  }
}

/** Scrapes lie on a grid that begins at the epoch. */
function nextScrape(afterMs: number, { scrapeIntervalMs }: WorldTiming): number {
  return (Math.floor(afterMs / scrapeIntervalMs) + 1) * scrapeIntervalMs
}

/**
 * Carries the traffic on to a time, as far as scrapes and route changes are due. What lies between the last of them and
 * the time is left for later, so that how often this is called changes nothing.
 */
export function advanceCluster(cluster: ClusterTraffic, toMs: number): void {
  skipBeyondRetention(cluster, toMs)
  for (;;) {
    const routesMs = cluster.coming[0]?.atMs ?? Number.POSITIVE_INFINITY
    const dueMs = Math.max(cluster.timeMs, Math.min(cluster.nextScrapeMs, routesMs))
    if (dueMs > toMs) return
    addTrafficUntil(cluster, dueMs)
    if (routesMs <= dueMs) cluster.routes = cluster.coming.shift()?.routes ?? cluster.routes
    if (cluster.nextScrapeMs <= dueMs) scrape(cluster, dueMs)
  }
}

/** Carries the traffic on to a time exactly: before demand, behaviour or pods change. */
export function settleCluster(cluster: ClusterTraffic, timeMs: number): void {
  advanceCluster(cluster, timeMs)
  addTrafficUntil(cluster, timeMs)
}

/** Call after a route was written at a time: callers follow what stands now once it has propagated. */
export function expectRoutes(cluster: ClusterTraffic, timeMs: number): void {
  advanceCluster(cluster, timeMs)
  cluster.coming.push({ atMs: timeMs + cluster.timing.propagationMs, routes: readRoutes(cluster) })
}

/** A service as its requests find it now; undefined when the cluster has no such service. */
export function serviceTraffic(cluster: ClusterTraffic, ref: ServiceRef): ServiceTraffic | undefined {
  const key = serviceKey(ref)
  const spec = cluster.record.services[key]
  if (spec === undefined) return undefined
  const pods = cluster.record.pods.filter((pod) => serviceKey(pod) === key)
  return { ref, spec, rules: routeOf(cluster, key), pods }
}

/** After a long sleep of the machine only what would still be kept is worth simulating. */
function skipBeyondRetention(cluster: ClusterTraffic, toMs: number): void {
  const oldestMs = toMs - cluster.timing.retentionMs
  if (cluster.timeMs >= oldestMs) return
  cluster.timeMs = oldestMs
  cluster.nextScrapeMs = nextScrape(oldestMs, cluster.timing)
}

function addTrafficUntil(cluster: ClusterTraffic, toMs: number): void {
  if (toMs <= cluster.timeMs) return
  const { chance, tally, jars, timeMs: fromMs } = cluster
  for (const key of Object.keys(cluster.record.services)) {
    const traffic = serviceTraffic(cluster, refOf(cluster, key))
    if (traffic) addTraffic(traffic, { fromMs, toMs, chance, tally, jars })
  }
  cluster.timeMs = toMs
}

/**
 * The route in force. A service that is new to the world, or a world that has just started, follows what is
 * written now.
 */
export function routeOf(cluster: ClusterTraffic, key: string): readonly RouteRule[] | undefined {
  if (!cluster.routes.has(key)) cluster.routes.set(key, readRoute(cluster, key))
  return cluster.routes.get(key)
}

function readRoutes(cluster: ClusterTraffic): Routes {
  return new Map(Object.keys(cluster.record.services).map((key) => [key, readRoute(cluster, key)]))
}

function readRoute(cluster: ClusterTraffic, key: string): readonly RouteRule[] | undefined {
  const { namespace, service } = refOf(cluster, key)
  return cluster.routeSource.rules(cluster.name, namespace, service)
}

function refOf(cluster: ClusterTraffic, key: string): ServiceRef {
  const [namespace = '', service = ''] = key.split('/')
  return { cluster: cluster.name, namespace, service }
}

function scrape(cluster: ClusterTraffic, timeMs: number): void {
  cluster.history.scrape(
    timeMs,
    targetsOf(cluster).map(({ key, labels, silent }) => {
      const up = !silent && cluster.record.spec.metrics !== 'down'
      return { labels, up, growth: up ? cluster.tally.take(key) : [] }
    }),
  )
  cluster.nextScrapeMs = nextScrape(timeMs, cluster.timing)
}

interface Target {
  /** As the tally names the pod. */
  readonly key: string
  readonly labels: TargetLabels
  readonly silent: boolean
}

/** The pods of all versions, and one pod of each caller in the mesh. */
function targetsOf({ record }: ClusterTraffic): Target[] {
  const pods = record.pods.map((pod) => ({
    key: podKey(pod),
    labels: targetLabels(`${pod.ip}:15020`, pod.namespace, pod.name),
    silent: record.services[serviceKey(pod)]?.versions[pod.version]?.silent ?? false,
  }))
  const callers = new Map<string, Target>()
  for (const caller of Object.values(record.services).flatMap(({ demand }) => demand.callers)) {
    const key = callerPod(caller)
    const labels = targetLabels(
      `${caller.workload}-0.${caller.namespace}:15020`,
      caller.namespace,
      `${caller.workload}-0`,
    )
    if (caller.meshed) callers.set(key, { key, labels, silent: false })
  }
  return [...pods, ...callers.values()]
}

function targetLabels(instance: string, namespace: string, pod: string): TargetLabels {
  return { job: 'kubernetes-pods', instance, namespace, pod }
}
