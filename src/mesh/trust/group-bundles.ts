import type { KubeObject } from '../../model/kube.ts'
import type { CaCertificate } from '../../model/mesh-ca.ts'
import type { BundlePlace } from './bundle-places.ts'
import { readRoots } from './read-roots.ts'

/** The trust bundle of a namespace: PEM. */
export interface NamespaceBundle {
  readonly namespace: string
  readonly pem: string
}

/** Namespaces whose bundles hold the same roots in the same order. */
export interface BundleGroup {
  /** Empty: no readable root, or one of the many groups that are told together. */
  readonly roots: readonly CaCertificate[]
  readonly namespaces: number
  /** Up to five of them, in order. */
  readonly examples: readonly string[]
}

/** The trust bundles that ConfigMaps of one place hold. */
export function bundlesIn({ key }: BundlePlace, configMaps: readonly KubeObject[]): readonly NamespaceBundle[] {
  return configMaps.map(({ metadata: { namespace = '' }, data }) => {
    return { namespace, pem: (data as Readonly<Record<string, string>> | undefined)?.[key] ?? '' }
  })
}

const MOST_GROUPS = 20
const MOST_EXAMPLES = 5

/**
 * Bundles by what they hold, the largest group first. What goes beyond 20 groups is told as one without roots: a bundle that
 * is not shown must never count as one that is as wanted.
 */
export function groupBundles(bundles: readonly NamespaceBundle[]): readonly BundleGroup[] {
  const byText = new Map<string, readonly CaCertificate[]>()
  const groups = new Map<string, { readonly roots: readonly CaCertificate[]; readonly namespaces: string[] }>()
  for (const { namespace, pem } of bundles) {
    const roots = byText.get(pem) ?? readRoots(pem)
    byText.set(pem, roots)
    const key = roots.map(({ fingerprint }) => fingerprint).join()
    const group = groups.get(key) ?? { roots, namespaces: [] }
    group.namespaces.push(namespace)
    groups.set(key, group)
  }
  const sorted = [...groups.values()].sort(
    (a, b) => b.namespaces.length - a.namespaces.length || (first(a.namespaces) < first(b.namespaces) ? -1 : 1),
  )
  const shown = sorted.length > MOST_GROUPS ? sorted.slice(0, MOST_GROUPS - 1) : sorted
  const rest = sorted.slice(shown.length).flatMap(({ namespaces }) => namespaces)
  return [...shown, ...(rest.length === 0 ? [] : [{ roots: [], namespaces: rest }])].map(({ roots, namespaces }) => {
    return { roots, namespaces: namespaces.length, examples: [...namespaces].sort().slice(0, MOST_EXAMPLES) }
  })
}

function first(names: readonly string[]): string {
  return [...names].sort()[0] ?? ''
}
