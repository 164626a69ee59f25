import type { HostDocument, PlacementDocument, ServiceDocument } from '../../model/documents.ts'
import { hostClusters, isHostKey } from '../../model/host.ts'

/** What is placed on clusters: a service, or a host, whose objects lie in the namespace of its gateway. */
export type Owner = ServiceDocument & { readonly objectsIn?: string }

/** A host in the form in which reconcile knows services: it has clusters and a fence, and no versions. */
export function hostAsService(host: HostDocument, objectsIn: string | undefined): Owner {
  const { schema, outbox, createdAt, updatedAt, gateway, generation, renderRevision, leaving } = host
  const clusters = hostClusters(host)
  return {
    schema,
    outbox,
    createdAt,
    updatedAt,
    kind: 'service',
    namespace: gateway,
    name: host.host,
    spec: {
      team: '',
      ports: [],
      versions: {},
      initialVersion: '',
      clusters: [...clusters],
      onDrift: 'restore',
      adopt: false,
    },
    generation,
    renderRevision,
    targets: Object.fromEntries(clusters.map((cluster) => [cluster, { stable: '' }])),
    leaving,
    rollouts: [],
    idempotency: [],
    ...(objectsIn === undefined ? {} : { objectsIn }),
  }
}

/** The Kubernetes namespace of the objects of a service or host. */
export function namespaceOf(owner: { readonly namespace: string; readonly objectsIn?: string }): string {
  return owner.objectsIn ?? owner.namespace
}

/** The same of a placement: what it knows when the rest is gone. */
export function namespaceOfPlacement({ service, objects }: Pick<PlacementDocument, 'service' | 'objects'>): string {
  const [namespace = ''] = service.split('/')
  return isHostKey(service) ? (objects[0]?.namespace ?? namespace) : namespace
}
