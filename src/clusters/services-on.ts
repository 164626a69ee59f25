import { keyOf } from '../model/documents.ts'
import type { Store } from '../ports/store.ts'

/** Keys of the services that have a placement on a cluster. */
export async function servicesOn(store: Store, cluster: string): Promise<readonly string[]> {
  const services: string[] = []
  let after: string | undefined
  do {
    const page = await store.list('service', { limit: 1000, ...(after === undefined ? {} : { after }) })
    for (const { value } of page.value) {
      if (Object.hasOwn(value.targets, cluster) || value.leaving.includes(cluster)) services.push(keyOf(value))
    }
    after = page.next
  } while (after !== undefined)
  return services
}
