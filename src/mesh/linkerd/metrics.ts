import type { CountQuery, MeteredService, VersionLabels } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'

const LABEL = 'backend_name'

/** Answers as the callers' proxies count them by route and backend; those of gRPC calls have a metric of their own. */
export function requestCounts(service: MeteredService): CountQuery {
  return {
    selector: selector('outbound_(http|grpc)_route_backend_response_statuses_total', service),
    versionLabel: LABEL,
    failed: isFailure,
  }
}

/** Answers by duration, cumulative over the edges in label `le` (seconds). */
export function latencyCounts(service: MeteredService): CountQuery {
  const metric = 'outbound_(http|grpc)_route_backend_response_duration_seconds_bucket'
  return { selector: selector(metric, service), versionLabel: LABEL, unitMs: 1000 }
}

/** The Services of some versions: each is a backend. */
export function versionLabels(
  service: MeteredService & { readonly spec: NonNullable<MeteredService['spec']> },
  versions: readonly string[],
): VersionLabels {
  const names = versionServiceNames(service)
  return { label: LABEL, values: Object.fromEntries(versions.map((version) => [version, names[version] ?? ''])) }
}

/** What every proxy that answered a request shows. */
export const ANY_REQUESTS = 'response_total{direction="inbound"}'

/** Upper edges of the histogram by backend, +Inf left out. */
export const LATENCY_EDGES_MS: readonly number[] = [25, 50, 100, 250, 500, 1000, 10_000]

/** Statuses of gRPC that say the server failed, as `isFailed` of the judge takes them, by the names that Linkerd writes. */
const FAILING: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
])

/** A 5xx, a failing status of gRPC, or an error of the proxy before there was any answer. */
export function isFailure(labels: Readonly<Record<string, string>>): boolean {
  const { http_status = '', grpc_status = '', error = '' } = labels
  if (/^5\d\d$/.test(http_status) || FAILING.has(grpc_status)) return true
  return error !== ''
}

/** Names of namespaces and Services need no escapes in PromQL. */
function selector(metric: string, { namespace, name }: MeteredService): string {
  return `{__name__=~"${metric}",parent_kind="Service",parent_namespace="${namespace}",parent_name="${name}"}`
}
