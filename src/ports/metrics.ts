import type { ClusterSpec } from '../model/cluster.ts'
import type { GateSource } from '../model/metrics.ts'
import type { QueryProblem } from '../model/query-template.ts'
import type { Counts } from '../model/rollout.ts'

/** One series with the samples it had in the asked window, in the order of time. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly (readonly [timeMs: number, value: number])[]
}

/** Where gates on the mesh get their numbers. Throws PortError. */
export interface MetricsSource {
  /**
   * The raw samples of a selector in (atMs - windowMs, atMs]. `selector` is an instant vector selector in PromQL that
   * begins with the name of one metric. Not more than `mostSeries` are wanted; a source may give more.
   */
  samples(selector: string, atMs: number, windowMs: number, mostSeries?: number): Promise<readonly Series[]>
}

/** Which requests to count, and which of them are bad. */
export interface CountQuestion {
  readonly service: { readonly namespace: string; readonly name: string }
  /** By name of the version: what the source calls it. */
  readonly versions: Readonly<Record<string, string>>
  /** Bad is what failed on the server's side, or what took longer than `overMs`. */
  readonly bad: { readonly kind: 'errors' } | { readonly kind: 'latency'; readonly overMs: number }
}

/** A stretch of time without its begin, in epoch milliseconds: after `fromMs`, up to and with `toMs`. */
export interface CountSpan {
  readonly fromMs: number
  readonly toMs: number
  /** What came after the span says whether the source is late. */
  readonly nowMs: number
}

export interface CountAnswer {
  /** By name of the version; those without requests are absent. */
  readonly byVersion: Readonly<Record<string, Counts>>
  /** Time of the newest request seen of these versions up to `nowMs`; absent: none was seen. */
  readonly newestMs?: number
}

/** Where gates on logs and on metrics of Azure resources get their numbers: counted over there. Throws PortError. */
export interface CountsSource {
  counts(question: CountQuestion, span: CountSpan): Promise<CountAnswer>
}

/** Who answers queries of one's own: PromQL on the mesh's Prometheus, KQL on logs. */
export type QuerySource = Exclude<GateSource, 'platform'>

/** Where gates with queries of their own get their numbers. Throws PortError (`invalid`: the query cannot be answered). */
export interface ValueSource {
  /**
   * The numbers that a query gives: those of PromQL at `toMs`, those of KQL over the rows after `fromMs` up to and with
   * `toMs` (epoch milliseconds). Empty: the answer is. More than two may be cut off; NaN stays NaN.
   */
  values(query: string, span: { readonly fromMs: number; readonly toMs: number }): Promise<readonly number[]>
}

/** How late a source's numbers come and how often to look at it. */
export interface GateTiming {
  readonly delayMs: number
  readonly everyMs: number
  /** Windows begin and end at whole multiples of it; absent: anywhere. */
  readonly grainMs?: number
}

type Cluster = { readonly name: string; readonly spec: ClusterSpec }

export interface MetricsSources {
  /** The Prometheus of a cluster; undefined when it names none. */
  open(cluster: Cluster): Promise<MetricsSource | undefined>
  /** Its logs or its platform metrics; undefined when it names none. */
  openCounts(cluster: Cluster, from: Exclude<GateSource, 'mesh'>): Promise<CountsSource | undefined>
  /** Who answers queries of one's own there; undefined when it names none. */
  openValues(cluster: Cluster, from: QuerySource): Promise<ValueSource | undefined>
  /** What is wrong with the text of a query, as far as that can be told without asking; undefined: nothing. */
  queryProblem(from: QuerySource, query: string): Promise<QueryProblem | undefined>
  /** What the cluster says of a source (`mesh` when left out), else what is usual for its kind. */
  timing(spec: ClusterSpec, from?: GateSource): GateTiming
}
