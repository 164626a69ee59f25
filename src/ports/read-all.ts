import type { DocumentKind, DocumentOf } from '../model/documents.ts'
import type { ListQuery, Store } from './store.ts'

/** Every document of a kind, in the order of keys. */
export function readAll<K extends DocumentKind>(
  store: Pick<Store, 'all'>,
  kind: K,
  query: Pick<ListQuery, 'prefix' | 'where'> = {},
): Promise<readonly DocumentOf[K][]> {
  return store.all(kind, query)
}
