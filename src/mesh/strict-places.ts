import { type ClusterDocument, keyOf, type ServiceDocument } from '../model/documents.ts'
import { servicePolicy } from '../model/policy/service-policy.ts'
import { isObserved } from '../model/service.ts'
import { providerFor } from './registry.ts'

/** A service on a cluster where mutual TLS is strict, and how requests without it are counted. */
export interface StrictPlace {
  readonly service: string
  readonly cluster: ClusterDocument
  /** Undefined: the mesh counts none. */
  readonly selector: string | undefined
  /** A selector for all its requests. */
  readonly counted: string | undefined
  readonly hasTcp: boolean
}

/**
 * Where mutual TLS is strict as a service is to be, and was not before. What goes in waves counts as if all were there; where
 * nothing is written, nobody is refused.
 */
export function newlyStrict(
  before: ServiceDocument | undefined,
  after: ServiceDocument,
  clusters: readonly ClusterDocument[],
): readonly StrictPlace[] {
  const was = new Set(before ? strictPlaces(before, clusters).map(({ cluster }) => cluster.name) : [])
  return strictPlaces(after, clusters).filter(({ cluster }) => !was.has(cluster.name))
}

/** Where mutual TLS of a service is strict. */
export function strictPlaces(
  { spread: _, ...service }: ServiceDocument,
  clusters: readonly ClusterDocument[],
): readonly StrictPlace[] {
  return clusters
    .filter((cluster) => Object.hasOwn(service.targets, cluster.name) && !isObserved(service, cluster))
    .filter((cluster) => servicePolicy(service, cluster).policy.security?.mtls === 'strict')
    .map((cluster) => {
      const provider = providerFor(cluster.mesh?.provider ?? 'istio')
      return {
        service: keyOf(service),
        cluster,
        selector: provider?.outsideCounts?.(service)?.selector,
        counted: provider?.requestCounts?.(service)?.selector,
        hasTcp: service.spec.ports.some(({ protocol }) => protocol === 'tcp'),
      }
    })
}
