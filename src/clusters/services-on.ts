import { keyOf, type ServiceDocument } from '../model/documents.ts'
import type { Store } from '../ports/store.ts'

/** Keys of the services that are on a cluster, or have yet to be removed from it. */
export async function servicesOn(store: Store, cluster: string): Promise<readonly string[]> {
  return (await readServicesOn(store, cluster)).map(keyOf)
}

/** The services that are on a cluster, or have yet to be removed from it. */
export async function readServicesOn(store: Store, cluster: string): Promise<readonly ServiceDocument[]> {
  const services: ServiceDocument[] = []
  let after: string | undefined
  do {
    const page = await store.list('service', { limit: 1000, ...(after === undefined ? {} : { after }) })
    for (const { value } of page.value) {
      if (Object.hasOwn(value.targets, cluster) || value.leaving.includes(cluster)) services.push(value)
    }
    after = page.next
  } while (after !== undefined)
  return services
}
