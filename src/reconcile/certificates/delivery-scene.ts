import type { CertificateDocument, ClusterDocument, DeliveryDocument, FreezeDocument } from '../../model/documents.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import type { Store, Stored } from '../../ports/store.ts'
import type { DeliveryDeps } from './delivery-deps.ts'
import type { Wanted } from './render.ts'

/** The message that asks for a delivery. */
export interface DeliveryRequest {
  readonly certificate: string
  readonly cluster: string
  /** Session token of the write that asks for this, so that it is seen. */
  readonly session?: string
}

/** The documents that decide about one certificate on one cluster. */
export interface StoredDelivery {
  readonly certificate: CertificateDocument | undefined
  readonly cluster: ClusterDocument | undefined
  readonly delivery: Stored<DeliveryDocument> | undefined
  readonly freezes: readonly FreezeDocument[]
}

/** All that decides what to do on the cluster, and the way to it. */
export interface DeliveryScene {
  readonly deps: DeliveryDeps
  readonly wanted: Wanted
  readonly cluster: ClusterDocument
  readonly before: DeliveryDocument | undefined
  readonly freezes: readonly FreezeDocument[]
  readonly api: ClusterApi
  readonly namespace: KubeObject
  /** Epoch milliseconds. */
  readonly now: number
}

/** Reads the documents. Throws PortError. */
export async function gatherDelivery(store: Store, request: DeliveryRequest): Promise<StoredDelivery> {
  const { certificate: name, cluster: clusterName, session } = request
  const [certificate, cluster, delivery, freezes] = await Promise.all([
    store.read('certificate', name, session),
    store.read('cluster', clusterName),
    store.read('delivery', `${name}/${clusterName}`, session),
    store.all('freeze'),
  ])
  return { certificate: certificate?.value, cluster: cluster?.value, delivery, freezes }
}

/** What of a certificate is wanted on a cluster; undefined: nothing. */
export function wantedOn(certificate: CertificateDocument | undefined, cluster: string): Wanted | undefined {
  if (!certificate || certificate.deletingAt !== undefined) return undefined
  const target = Object.hasOwn(certificate.targets, cluster) ? certificate.targets[cluster] : undefined
  return target && { name: certificate.name, spec: certificate.spec, target }
}
