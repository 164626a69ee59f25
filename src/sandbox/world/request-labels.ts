import type { Labels } from '../emulators/prometheus/series-source.ts'
import type { Caller, ServiceRef, ServiceSpec, WorldPod } from './world-spec.ts'

/** How one kind of request ended. */
export interface Outcome {
  readonly failed: boolean
  /** HTTP status of a failure. */
  readonly errorCode: number
  /** Envoy's response flag: `UH` no healthy pod, `NC` no such subset, `NR` no route fits; '' when a pod answered. */
  readonly flags: '' | 'UH' | 'NC' | 'NR'
}

/** What a caller's proxy answers where it knows no pod. */
export function lostOutcome(flags: Outcome['flags']): Outcome {
  return { failed: true, errorCode: flags === 'NR' ? 404 : 503, flags }
}

/** gRPC status INTERNAL, of an answer by a pod, and UNAVAILABLE, of one by the caller's proxy. */
const [GRPC_INTERNAL, GRPC_UNAVAILABLE] = ['13', '14']

/** HTTP status and gRPC status of an outcome; gRPC failures answered by a pod are HTTP 200. */
export function statusOf(protocol: ServiceSpec['protocol'], outcome: Outcome): { http: number; grpc: string } {
  if (protocol === 'http') return { http: outcome.failed ? outcome.errorCode : 200, grpc: '' }
  if (!outcome.failed) return { http: 200, grpc: '0' }
  return { http: 200, grpc: outcome.flags === '' ? GRPC_INTERNAL : GRPC_UNAVAILABLE }
}

export interface RequestKind {
  readonly reporter: 'source' | 'destination'
  readonly ref: ServiceRef
  readonly protocol: ServiceSpec['protocol']
  readonly caller: Caller
  /** The pod that took the request; undefined when the caller's proxy answered in its place. */
  readonly pod: WorldPod | undefined
  readonly outcome: Outcome
}

/**
 * The labels that Istio's telemetry puts on a request, those of them that Meshwright or a person would ask for. Empty
 * labels are left out, as Prometheus does. A request that reached no pod has a destination workload `unknown`.
 */
export function requestLabels({ reporter, ref, protocol, caller, pod, outcome }: RequestKind): Labels {
  const status = statusOf(protocol, outcome)
  const meshed = caller.meshed
  const labels = {
    reporter,
    source_workload: meshed ? caller.workload : 'unknown',
    source_workload_namespace: meshed ? caller.namespace : 'unknown',
    destination_service: `${ref.service}.${ref.namespace}.svc.cluster.local`,
    destination_service_name: ref.service,
    destination_service_namespace: ref.namespace,
    destination_workload: pod?.workload ?? 'unknown',
    destination_workload_namespace: pod?.namespace ?? 'unknown',
    destination_version: pod?.labels.version ?? 'unknown',
    destination_canonical_revision: canonicalRevision(pod),
    request_protocol: protocol,
    response_code: String(status.http),
    grpc_response_status: status.grpc,
    response_flags: outcome.flags === '' ? '-' : outcome.flags,
    connection_security_policy: reporter === 'source' ? 'unknown' : meshed ? 'mutual_tls' : 'none',
  }
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
}

/** Istio's rule: its own label, then the two common version labels, then `latest`. */
function canonicalRevision(pod: WorldPod | undefined): string {
  const { labels } = pod ?? { labels: {} as Labels }
  const own = labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version']
  return own ?? labels.version ?? 'latest'
}
