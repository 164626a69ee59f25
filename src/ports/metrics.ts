import type { ClusterSpec } from '../model/cluster.ts'

/** One series with the samples it had in the asked window, in the order of time. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly (readonly [timeMs: number, value: number])[]
}

/** Where gates get their numbers. Throws PortError. */
export interface MetricsSource {
  /** The raw samples of a selector in (atMs - windowMs, atMs]. `selector` is an instant vector selector in PromQL. */
  samples(selector: string, atMs: number, windowMs: number): Promise<readonly Series[]>
}

export interface MetricsSources {
  /** Undefined when the cluster names no source. */
  open(cluster: { readonly name: string; readonly spec: ClusterSpec }): Promise<MetricsSource | undefined>
  /** Defaults of the source's kind where the cluster sets none: how late samples come, how often to look. */
  timing(spec: ClusterSpec): { delayMs: number; everyMs: number }
}
