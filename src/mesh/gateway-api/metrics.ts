import type { CountQuery, MeteredService, VersionLabels } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'

const LABEL = 'destination_service_name'

/** Requests as gateways of Istio count them: by the Service of the version, which is there for those that reached none too. */
export function requestCounts(service: MeteredService): CountQuery {
  return { selector: `istio_requests_total${matchers(service)}`, versionLabel: LABEL }
}

/** Requests by duration, cumulative over the edges in label `le` (milliseconds). */
export function latencyCounts(service: MeteredService): CountQuery {
  return { selector: `istio_request_duration_milliseconds_bucket${matchers(service)}`, versionLabel: LABEL }
}

/** The Services of some versions. */
export function versionLabels(
  service: MeteredService & { readonly spec: NonNullable<MeteredService['spec']> },
  versions: readonly string[],
): VersionLabels {
  const names = versionServiceNames(service)
  return { label: LABEL, values: Object.fromEntries(versions.map((version) => [version, names[version] ?? ''])) }
}

/** What every gateway of Istio that sent on a request shows. */
export const ANY_REQUESTS = 'istio_requests_total{reporter="source"}'

/** Names of namespaces and Services need no escapes in PromQL. */
function matchers({ namespace, name, spec }: MeteredService): string {
  const services = spec ? Object.values(versionServiceNames({ name, spec })).sort() : []
  const named = services.length === 0 ? '' : `,${LABEL}=~"${services.join('|')}"`
  return `{reporter="source",destination_service_namespace="${namespace}"${named}}`
}
