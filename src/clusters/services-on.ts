import { type CertificateDocument, type HostDocument, keyOf, type ServiceDocument } from '../model/documents.ts'
import { hostClusters } from '../model/host.ts'
import type { Store } from '../ports/store.ts'

/** Keys of the services that are on a cluster, or have yet to be removed from it. */
export async function servicesOn(store: Store, cluster: string): Promise<readonly string[]> {
  return (await readServicesOn(store, cluster)).map(keyOf)
}

/** The services that are on a cluster, or have yet to be removed from it. */
export async function readServicesOn(store: Store, cluster: string): Promise<readonly ServiceDocument[]> {
  return (await store.all('service')).filter((service) => isOn(service, cluster))
}

/** What is on a cluster, is to be, or has yet to be removed from it. */
export type Dependent = ServiceDocument | CertificateDocument

/** Services and certificates that a cluster has, is to have, or has yet to be rid of. */
export async function readDependents(store: Store, cluster: string): Promise<readonly Dependent[]> {
  const [services, certificates] = await Promise.all([readServicesOn(store, cluster), store.all('certificate')])
  return [...services, ...certificates.filter((one) => one.clusters.includes(cluster) || isOn(one, cluster))]
}

/** `service shop/web`, `certificate web-tls`. */
export function describeDependent(document: Dependent): string {
  return `${document.kind} ${keyOf(document)}`
}

/** Is it to be there, as against having only to leave? */
export function isWantedOn(document: Dependent, cluster: string): boolean {
  if (document.kind === 'certificate' && document.clusters.includes(cluster)) return true
  return Object.hasOwn(document.targets, cluster)
}

function isOn({ targets, leaving }: Dependent, cluster: string): boolean {
  return Object.hasOwn(targets, cluster) || leaving.includes(cluster)
}

/** Hosts of which a cluster has something, is to have, or has yet to be rid of. */
export async function readHostsOn(store: Store, cluster: string): Promise<readonly HostDocument[]> {
  const hosts = await store.all('host')
  return hosts.filter((host) => host.leaving.includes(cluster) || hostClusters(host).includes(cluster))
}
