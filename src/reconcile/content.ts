import { MANAGER, ownerOf, REVISION } from '../mesh/marks.ts'
import { canonicalJson, digest } from '../model/digest.ts'
import type { KubeObject, KubeRef } from '../model/kube.ts'
import { isWorkload } from './workloads/deployment.ts'

/** One field that differs. `path` is dotted, with list positions as numbers; undefined stands for "not there". */
export interface FieldChange {
  readonly path: string
  readonly from: unknown
  readonly to: unknown
}

/** Names an object in maps. */
export function refKey(ref: KubeRef): string {
  return `${ref.apiVersion}/${ref.kind}/${ref.namespace ?? ''}/${ref.name}`
}

/** Hash of what we rendered, without the revision annotation: a new revision alone is no new content. */
export function contentHash(object: KubeObject): string {
  return digest(contentOf(object)).slice(0, 27)
}

/**
 * Does a live object hold all that `desired` says, and of fields that we once wrote no others? Fields that others added beside
 * ours are not looked at.
 */
export function holds(live: KubeObject, desired: KubeObject): boolean {
  return changesTo(live, desired).length === 0
}

/** What writing `desired` would change. Lists are whole values, as server-side apply takes those of Istio. */
export function changesTo(live: KubeObject | undefined, desired: KubeObject): readonly FieldChange[] {
  const wanted = contentOf(desired)
  if (live === undefined) return compare(undefined, wanted, '')
  const there = contentOf(live)
  const changes = compare(there, wanted, '')
  if (!isRendered(desired)) return changes
  return [...changes, ...ownedTrees(live).flatMap((tree) => givenUp(tree, there, wanted, ''))]
}

/** Only of what a mesh gets are all fields known that we ever set; Deployments and Secrets are compared by their own rules. */
function isRendered(desired: KubeObject): boolean {
  return ownerOf(desired.metadata) !== undefined && !isWorkload(desired)
}

/** What our applies own of an object, as trees of `f:NAME`. */
function ownedTrees(live: KubeObject): readonly Readonly<Record<string, unknown>>[] {
  return (live.metadata.managedFields ?? [])
    .filter(({ manager, subresource }) => manager === MANAGER && !subresource)
    .flatMap(({ fieldsV1 }) => (fieldsV1 ? [fieldsV1] : []))
}

/** Fields that are ours, are there, and are wanted no longer: an apply without them takes them away. */
function givenUp(owned: unknown, from: unknown, to: unknown, path: string): readonly FieldChange[] {
  if (!isMap(owned) || !isMap(from) || (to !== undefined && !isMap(to))) return []
  return Object.entries(owned).flatMap(([key, tree]) => {
    const name = key.startsWith('f:') ? key.slice(2) : undefined
    if (name === undefined || from[name] === undefined) return []
    const here = path === '' ? name : `${path}.${name}`
    if (to?.[name] !== undefined) return givenUp(tree, from[name], to[name], here)
    return [{ path: here, from: from[name], to: undefined }]
  })
}

/** Paths in the spec of a live object that are not ours: another hand added them, and an apply leaves them. */
export function addedFields(live: KubeObject, desired: KubeObject): readonly string[] {
  return compare(desired.spec, live.spec, 'spec')
    .filter((change) => change.from === undefined)
    .map((change) => change.path)
}

function contentOf(object: KubeObject): Readonly<Record<string, unknown>> {
  const { [REVISION]: _, ...annotations } = object.metadata.annotations ?? {}
  return { metadata: { labels: object.metadata.labels, annotations }, spec: object.spec }
}

function compare(from: unknown, to: unknown, path: string): readonly FieldChange[] {
  if (to === undefined) return []
  if (isMap(to) && (from === undefined || isMap(from))) {
    const before = from ?? {}
    return Object.keys(to).flatMap((name) => compare(before[name], to[name], path === '' ? name : `${path}.${name}`))
  }
  return canonicalJson(from) === canonicalJson(to) ? [] : [{ path, from, to }]
}

/** Is it a JSON object? */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
