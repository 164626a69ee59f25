import type { DocumentKind, DocumentOf } from '../model/documents.ts'
import type { ListQuery, Store } from './store.ts'

/** Documents a request of a list that is read whole. */
const PAGE = 1000

/** Every document of a kind, in the order of keys: one request for each thousand. */
export async function readAll<K extends DocumentKind>(
  store: Store,
  kind: K,
  query: Pick<ListQuery, 'prefix' | 'where'> = {},
): Promise<readonly DocumentOf[K][]> {
  const found: DocumentOf[K][] = []
  let after: string | undefined
  do {
    const page = await store.list(kind, { ...query, limit: PAGE, ...(after === undefined ? {} : { after }) })
    found.push(...page.value.map(({ value }) => value))
    after = page.next
  } while (after !== undefined)
  return found
}
