import type { ClusterDocument } from '../model/documents.ts'
import type { Store } from '../ports/store.ts'
import { buildReport, type Report } from './report.ts'

/**
 * The report of everything that ends, from what was stored by looks: five lists of documents, and no call to a cluster or a
 * vault. `now` is epoch milliseconds, `vaultUrl` the vault of the settings. Throws PortError.
 */
export async function readReport(store: Store, vaultUrl: string | undefined, now: number): Promise<Report> {
  const [clusters, certificates, cas, deliveries, trusts, found] = await Promise.all([
    store.all('cluster'),
    store.all('certificate'),
    store.all('mesh-ca'),
    store.all('delivery'),
    store.all('trust'),
    store.all('found'),
  ])
  const kept = clusters.filter(({ deletingAt }: ClusterDocument) => deletingAt === undefined)
  return buildReport({ clusters: kept, certificates, cas, deliveries, trusts, found, vaultUrl }, now)
}
