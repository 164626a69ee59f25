import { CERTIFICATE, MANAGED_BY_US } from '../../mesh/marks.ts'
import { shortId } from '../../model/digest.ts'
import type { DeliveryDocument } from '../../model/documents.ts'
import { succeed } from '../../model/failure.ts'
import type { KindRef } from '../../model/kube.ts'
import { timestamp } from '../../model/names.ts'
import { changeDocument } from '../../ports/change-document.ts'
import type { ClusterApi, MetadataObject } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { refKey } from '../content.ts'
import type { ReconcileDeps } from '../deps.ts'
import { DEPLOYMENT, PROVIDER_CLASS, SECRET } from './render.ts'

/**
 * Compares uid and resource version of what was delivered to a cluster with what is there, by one list of metadata a
 * namespace (three where the driver delivers), and asks for a delivery where they differ. Says for which certificates. A
 * cluster without certificates is not asked anything. Throws PortError.
 */
export async function resyncDeliveries(
  deps: Pick<ReconcileDeps, 'store' | 'clock'>,
  api: ClusterApi,
  cluster: string,
): Promise<readonly string[]> {
  const deliveries = (await deps.store.all('delivery', { where: { cluster } })).filter(
    ({ objects }) => objects.length > 0,
  )
  const live = await listObjects(api, deliveries)
  const differing = deliveries.filter((delivery) => departs(delivery, live)).map(({ certificate }) => certificate)
  for (const certificate of differing) await askForDelivery(deps, certificate, cluster)
  return differing
}

/** Is an object of it gone, another or touched, or the driver's Secret gone? */
export function departs(delivery: DeliveryDocument, live: ReadonlyMap<string, MetadataObject>): boolean {
  const seen = delivery.objects.map((entry) => live.get(refKey(entry))?.metadata)
  const changed = delivery.objects.some((entry, index) => {
    if (seen[index]?.uid !== entry.uid) return true
    // The status of a Deployment moves by itself.
    return entry.kind !== DEPLOYMENT.kind && seen[index]?.resourceVersion !== entry.resourceVersion
  })
  if (changed) return true
  if (delivery.state !== 'delivered' || !delivery.objects.some(({ kind }) => kind === PROVIDER_CLASS.kind)) return false
  const secrets = [...live.values()].filter(({ kind }) => kind === SECRET.kind)
  return !secrets.some(({ metadata }) => metadata.annotations?.[CERTIFICATE] === delivery.certificate)
}

async function listObjects(
  api: ClusterApi,
  deliveries: readonly DeliveryDocument[],
): Promise<ReadonlyMap<string, MetadataObject>> {
  const asked = new Map<string, { readonly kind: KindRef; readonly namespace: string }>()
  for (const { objects } of deliveries) {
    for (const { namespace, kind } of objects) {
      const kinds = kind === SECRET.kind ? [SECRET] : [SECRET, PROVIDER_CLASS, DEPLOYMENT]
      for (const one of kinds) asked.set(`${one.kind} ${namespace}`, { kind: one, namespace })
    }
  }
  const lists = await Promise.all([...asked.values()].map(({ kind, namespace }) => listKnown(api, kind, namespace)))
  return new Map(
    lists.flat().map((object) => {
      const { namespace = '', name } = object.metadata
      return [refKey({ apiVersion: object.apiVersion, kind: object.kind, namespace, name }), object]
    }),
  )
}

/** Only in the namespaces of deliveries: the right to list Secrets need not reach further. */
async function listKnown(api: ClusterApi, kind: KindRef, namespace: string): Promise<readonly MetadataObject[]> {
  try {
    return await api.listMetadata(kind, { namespace, labelSelector: MANAGED_BY_US })
  } catch (error) {
    // Refused, each delivery is asked for and tells of it: services on the cluster are compared all the same.
    if (isPortError(error, 'not-found', 'denied')) return []
    throw error
  }
}

/** Puts the work into the delivery's outbox. */
async function askForDelivery(
  { store, clock }: Pick<ReconcileDeps, 'store' | 'clock'>,
  certificate: string,
  cluster: string,
): Promise<void> {
  await changeDocument(store, 'delivery', `${certificate}/${cluster}`, (stored) => {
    if (!stored) return succeed({ kind: 'leave' as const, value: undefined })
    const id = shortId(20, certificate, cluster, 'resync', stored.tag)
    const message = { kind: 'deliver' as const, certificate, cluster }
    const outbox = [...stored.value.outbox, { id, kind: 'work' as const, queue: 'work' as const, message }]
    const document = { ...stored.value, outbox, updatedAt: timestamp(clock.now()) }
    return succeed({ kind: 'write' as const, document, value: undefined })
  })
}
