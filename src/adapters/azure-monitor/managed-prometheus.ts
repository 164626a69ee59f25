import type { ClusterSpec } from '../../model/cluster.ts'
import { clusterLabel, isManagedPrometheus } from '../../model/metrics.ts'
import { escapePromql } from '../../model/query-template.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MetricsSource, ValueSource } from '../../ports/metrics.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Azure } from '../azure.ts'
import type { Fetch } from '../http-answer.ts'
import { type KeptToken, keptToken } from '../kept-token.ts'
import type { Turns } from '../one-at-a-time.ts'
import { prometheusSource } from '../prometheus-source.ts'
import { selectorsOf } from '../promql.ts'

/** The Entra scope of managed Prometheus' query API. */
export const PROMETHEUS_SCOPE = 'https://prometheus.monitor.azure.com/.default'

/** A cluster whose samples are in an Azure Monitor workspace. */
export interface ManagedCluster {
  readonly name: string
  readonly spec: ClusterSpec
}

/**
 * Opens managed Prometheus for clusters. One token for all; one request at a time to each workspace. `open` throws
 * PortError `denied` (reason `AddressRefused`) for an endpoint that is not below prometheus.monitor.azure.com.
 */
export function managedPrometheus(azure: Azure, clock: Clock, turns: Turns) {
  const token = keptToken(azure.credential, PROMETHEUS_SCOPE, 'Azure Monitor', clock)
  const fetch = withToken(azure.fetch, token)
  return {
    open({ name, spec }: ManagedCluster, endpoint: string): MetricsSource & ValueSource {
      const system = `Azure Monitor ${name}`
      if (!isManagedPrometheus(endpoint)) {
        const message = 'its endpoint is no address of managed Prometheus'
        throw new PortError('denied', system, message, { reason: 'AddressRefused' })
      }
      const { host } = new URL(endpoint)
      const source = prometheusSource({
        fetch,
        clock,
        system,
        url: endpoint,
        inTurn: (signal, call) => turns.run(host, signal, call),
      })
      const label = clusterLabel(name, spec)
      return {
        samples: async (selector, ...rest) => source.samples(onCluster(selector, label, system), ...rest),
        values: async (query, span) => source.values(await queryOnCluster(query, label, system), span),
      }
    },
  }
}

/**
 * A selector of one metric, narrowed to one cluster of the workspace. Throws PortError `invalid` for a selector that
 * does not begin with a metric's name or that names another beside it: managed Prometheus takes exactly one.
 */
export function onCluster(selector: string, cluster: string, system: string): string {
  const [, metric, matchers = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\s*\{(.*)\})?\s*$/s.exec(selector) ?? []
  if (metric === undefined || /(^|,)\s*__name__/.test(matchers)) throw notOneMetric(selector, system)
  return `${metric}{cluster="${escapePromql(cluster)}"${matchers === '' ? '' : `,${matchers}`}}`
}

function notOneMetric(selector: string, system: string): PortError {
  return new PortError('invalid', system, `${system} takes selectors with exactly one metric: ${selector}`)
}

/**
 * A query all of whose selectors are narrowed to one cluster of the workspace. Throws PortError `invalid` where one of
 * them does not name exactly one metric, before its braces, or the query does not parse. Names in quotes are not taken in braces: they
 * may be metrics'.
 */
async function queryOnCluster(query: string, cluster: string, system: string): Promise<string> {
  const selectors = await selectorsOf(query)
  if (!selectors) throw new PortError('invalid', system, `${system} takes PromQL only, and cannot read the query`)
  let [narrowed, end] = ['', 0]
  for (const { from, to, labels } of selectors) {
    const selector = query.slice(from, to)
    if (labels.some((label) => /^(__name__$|["'`])/.test(label))) throw notOneMetric(selector, system)
    narrowed += query.slice(end, from) + onCluster(selector, cluster, system)
    end = to
  }
  return narrowed + query.slice(end)
}

/** `fetch` with our token, which goes to managed Prometheus and nowhere else; a refused one is renewed once. */
function withToken(fetch: Fetch, token: KeptToken): Fetch {
  return async (input, init) => {
    if (!isManagedPrometheus(String(input))) throw new PortError('denied', 'Azure Monitor', 'it is another host')
    const send = (bearer: string) =>
      fetch(input, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init?.headers)), authorization: `Bearer ${bearer}` },
      })
    const bearer = await token.get()
    const response = await send(bearer)
    if (response.status !== 401) return response
    token.refused(bearer)
    await response.body?.cancel()
    return send(await token.get())
  }
}
