import type { Document } from './documents.ts'
import { badRequest } from './errors.ts'
import type { OrderItem } from './sql/syntax.ts'

interface Policy {
  readonly includedPaths?: readonly { readonly path: string }[]
  readonly excludedPaths?: readonly { readonly path: string }[]
  readonly compositeIndexes?: readonly (readonly { readonly path: string; readonly order?: string }[])[]
}

/**
 * Throws the 400 of an ORDER BY that no index of the container serves: one property must be indexed, several need a
 * composite index of just these, all in its order or all in the opposite one.
 */
export function checkOrderIsIndexed(orderBy: readonly OrderItem[], resource: Document): void {
  const policy = (resource.indexingPolicy ?? {}) as Policy
  const [first] = orderBy
  if (!first) return
  if (orderBy.length > 1) {
    if (policy.compositeIndexes?.some((index) => serves(index, orderBy))) return
    throw badRequest('The order by query does not have a corresponding composite index that it can be served from.')
  }
  const path = `/${first.steps.join('/')}`
  const included = longestMatch(policy.includedPaths ?? [], path)
  const excluded = longestMatch(policy.excludedPaths ?? [], path)
  if (included >= excluded && included >= 0) return
  throw badRequest('The index path corresponding to the specified order-by item is excluded.')
}

function serves(
  index: readonly { readonly path: string; readonly order?: string }[],
  orderBy: readonly OrderItem[],
): boolean {
  if (index.length !== orderBy.length) return false
  const turned = orderBy.map(({ steps, descending }, place) => {
    const { path, order = 'ascending' } = index[place] as { path: string; order?: string }
    return path === `/${steps.join('/')}` ? (order === 'descending') !== descending : undefined
  })
  return turned[0] !== undefined && turned.every((turn) => turn === turned[0])
}

/** The length of the longest pattern that covers the path, -1 for none; `/a/?` is the value, `/a/*` all below too. */
function longestMatch(patterns: readonly { readonly path: string }[], path: string): number {
  const lengths = patterns.map(({ path: pattern }) => {
    const plain = pattern.replaceAll('"', '')
    const base = plain.replace(/\/[?*]$/, '')
    const covers = plain.endsWith('/*') ? path === base || path.startsWith(`${base}/`) : path === base
    return covers ? base.length : -1
  })
  return Math.max(-1, ...lengths)
}
