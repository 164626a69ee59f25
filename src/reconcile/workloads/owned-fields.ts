import { canonicalJson } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import { isMap } from '../content.ts'

/**
 * The part of a live object that a field manager owns by server-side apply: applying it again changes nothing, and takes
 * nothing from others. Form of `fieldsV1`: sigs.k8s.io/structured-merge-diff, package fieldpath.
 */
export function ownedFields(live: KubeObject, manager: string): Pick<KubeObject, 'spec'> & { labels?: Labels } {
  const entry = live.metadata.managedFields?.find((one) => {
    return one.manager === manager && one.operation === 'Apply' && !one.subresource
  })
  const { metadata, spec } = owned(
    { metadata: { labels: live.metadata.labels }, spec: live.spec },
    entry?.fieldsV1 ?? {},
  )
  return { ...(metadata?.labels ? { labels: metadata.labels } : {}), ...(spec ? { spec } : {}) }
}

type Labels = Readonly<Record<string, string>>
interface Parts {
  readonly metadata?: { readonly labels?: Labels | undefined }
  readonly spec?: KubeObject['spec']
}

function owned(parts: Parts, set: Readonly<Record<string, unknown>>): Parts {
  return Object.keys(set).length === 0 ? {} : (pick(parts, set) as Parts)
}

/** A set without anything below it owns the value whole; `k:` names an item of a list by its keys, `v:` by itself. */
function pick(value: unknown, set: unknown): unknown {
  if (!isMap(set) || Object.keys(set).every((element) => element === '.')) return value
  if (Array.isArray(value)) return value.flatMap((item) => pickItem(item, set))
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const below = set[`f:${name}`]
      return below === undefined || inner === undefined ? [] : [[name, pick(inner, below)]]
    }),
  )
}

function pickItem(item: unknown, set: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Object.hasOwn(set, `v:${JSON.stringify(item)}`)) return [item]
  if (!isMap(item)) return []
  for (const [element, below] of Object.entries(set)) {
    if (!element.startsWith('k:')) continue
    const keys: unknown = JSON.parse(element.slice(2))
    if (!isMap(keys) || !Object.entries(keys).every(([key, is]) => canonicalJson(item[key]) === canonicalJson(is)))
      continue
    return [{ ...keys, ...(pick(item, below) as object) }]
  }
  return []
}
