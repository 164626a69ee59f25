import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Parts } from './parts.ts'
import { startProcess } from './processes.ts'
import { freePort, until } from './wait.ts'

/** Something to scrape. Targets of job `envoy-stats` are sidecars of servers; their labels name the pod. */
export interface ScrapeTarget {
  readonly job: string
  /** `host:port`. */
  readonly address: string
  readonly path: string
  readonly labels: Readonly<Record<string, string>>
}

/** One series of an instant query: its labels, and its value at the asked time. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A real Prometheus that scrapes every second. */
export interface Prometheus {
  readonly url: string
  /** An instant query, now. Throws with Prometheus' own words if it refuses. */
  query(promql: string): Promise<readonly Sample[]>
  stop(): Promise<void>
}

/** Starts Prometheus on a free port and resolves when it has scraped every target once. */
export async function startPrometheus(options: {
  parts: Parts
  dir: string
  targets: readonly ScrapeTarget[]
}): Promise<Prometheus> {
  const { dir, targets } = options
  mkdirSync(dir, { recursive: true })
  const configPath = join(dir, 'prometheus.json')
  writeFileSync(configPath, JSON.stringify(prometheusConfig(targets), null, 2))
  const address = `127.0.0.1:${await freePort()}`
  const process = startProcess({
    dir,
    name: 'prometheus',
    command: options.parts.prometheus,
    args: [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
  })
  const url = `http://${address}`
  const query = (promql: string) => instantQuery(url, promql)
  try {
    await until('Prometheus has scraped every target', 60_000, async () => {
      process.assertAlive()
      return (await query('up == 1')).length === targets.length
    })
  } catch (error) {
    await process.stop()
    throw error
  }
  return { url, query, stop: () => process.stop() }
}

/**
 * Istio's Envoy reports istio_requests_total itself; the upstream Envoy does not. What it counts on the way into the application is given
 * Istio's names and labels while it is scraped (not by a recording rule, so that samples keep the times and labels of their scrape and
 * belong to their target's `up`).
 */
function prometheusConfig(targets: readonly ScrapeTarget[]): object {
  const jobs = [...new Set(targets.map((target) => target.job))]
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: jobs.map((job) => {
      const own = targets.filter((target) => target.job === job)
      return {
        job_name: job,
        metrics_path: own[0]?.path,
        static_configs: own.map(({ address, labels }) => ({ targets: [address], labels })),
        metric_relabel_configs: job === 'envoy-stats' ? ISTIO_NAMES : [],
      }
    }),
  }
}

const INBOUND = 'inbound\\|.*'

const ISTIO_NAMES = [
  // Envoy also counts by class (2xx) under the same name: those have no response_code.
  rename(`envoy_cluster_upstream_rq;${INBOUND};[0-9]+`, 'istio_requests_total'),
  rename(`envoy_cluster_upstream_rq_time_(bucket|sum|count);${INBOUND};`, 'istio_request_duration_milliseconds_$1'),
  label('reporter', [], 'destination'),
  label('request_protocol', [], 'http'),
  label('destination_service', ['app', 'namespace'], '$1.$2.svc.cluster.local'),
  label('destination_service_name', ['app'], '$1'),
  label('destination_service_namespace', ['namespace'], '$1'),
  label('destination_workload', ['workload'], '$1'),
  label('destination_workload_namespace', ['namespace'], '$1'),
  label('destination_app', ['app'], '$1'),
  label('destination_version', ['version'], '$1'),
]

function rename(regex: string, replacement: string): object {
  return { source_labels: ['__name__', 'cluster_name', 'response_code'], regex, target_label: '__name__', replacement }
}

/** Writes a label of the renamed series from labels of their target. */
function label(target: string, sources: readonly string[], replacement: string): object {
  const regex = ['istio_.*', ...sources.map(() => '(.*)')].join(';')
  return { source_labels: ['__name__', ...sources], regex, target_label: target, replacement }
}

async function instantQuery(url: string, promql: string): Promise<readonly Sample[]> {
  const answer = await fetch(`${url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query: promql }) })
  const body = (await answer.json()) as {
    error?: string
    data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
  }
  if (!body.data) throw new Error(`Prometheus refuses ${promql}: ${body.error}`)
  return body.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
}
