import type { FieldSet } from './field-set.ts'
import { difference, intersection, isEmptySet, paths, pathText, recursiveDifference, union } from './field-set.ts'
import type { KubernetesObject } from './json.ts'
import { equal, isObject } from './json.ts'
import type { Managed, ManagedFields, Writer } from './managed-fields.ts'
import { changesBetween, conflictsWith, identity, withEntry, withoutChanges } from './managed-fields.ts'
import type { Shape } from './shape.ts'
import { failure } from './status.ts'
import { fieldSetOf, merge, removeFields, withNamedFields } from './typed-value.ts'

export interface Applied {
  readonly object: KubernetesObject
  readonly managed: Managed
}

/**
 * Server-side apply: merges `config` into `live`, drops what this applier owned before and names no more unless another
 * manager owns it, and settles who owns what. (structured-merge-diff, `Updater.Apply`.)
 * @throws KubernetesError 409 with one cause a field when another manager owns a changed field and `force` is off.
 */
export function applyOwned(
  shape: Shape,
  live: KubernetesObject,
  config: KubernetesObject,
  managed: Managed,
  writer: Writer & { readonly force: boolean },
): Applied {
  const self = { ...writer, operation: 'Apply' as const }
  const before = managed.get(identity(self))
  const fields = recursiveDifference(fieldSetOf(shape, config), writer.resets)
  const others = new Map([...managed].filter(([id]) => id !== identity(self)))
  const merged = asObject(merge(shape, live, config), live)
  const owned = [...others.values()].reduce((all, entry) => union(all, entry.fields), fields)
  const next = before ? asObject(prune(shape, merged, before.fields, owned), live) : merged

  const changes = changesBetween(shape, live, next, writer.resets)
  const conflicts = conflictsWith(others, changes)
  if (!writer.force && conflicts.size > 0) throw conflictError(conflicts)

  // Who changes nothing keeps its time; a newcomer who changes nothing has none.
  const time = equal(live, next) ? before?.time : writer.now
  const entry = { ...self, ...(time === undefined ? {} : { time }) }
  const after = withEntry(withoutChanges(others, changes), entry, fields)
  return { object: next, managed: after }
}

/**
 * Removes what the applier owned before and does not apply now, unless someone owns it. What hangs below such a field
 * and was never the applier's stays as well.
 */
function prune(shape: Shape, merged: KubernetesObject, before: FieldSet, owned: FieldSet): unknown {
  const named = (set: FieldSet): FieldSet => withNamedFields(shape, set)
  const all = named(fieldSetOf(shape, merged))
  const bare = removeFields(shape, merged, named(before))
  const unwanted = difference(all, union(named(fieldSetOf(shape, bare)), named(owned)))
  const kept = removeFields(shape, merged, unwanted)
  const gone = intersection(difference(all, named(fieldSetOf(shape, kept))), named(before))
  return isEmptySet(gone) ? merged : removeFields(shape, merged, gone)
}

function asObject(value: unknown, live: KubernetesObject): KubernetesObject {
  const object = isObject(value) ? value : {}
  const metadata = isObject(object.metadata) ? object.metadata : {}
  return { ...object, apiVersion: live.apiVersion, kind: live.kind, metadata } as KubernetesObject
}

function conflictError(conflicts: Managed): Error {
  const found = [...conflicts.values()].flatMap((entry) =>
    [...paths(entry.fields)].map((path) => ({ manager: managerText(entry), field: pathText(path) })),
  )
  return failure(409, 'Conflict', conflictMessage(found), {
    causes: found.map(({ manager, field }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${manager}`,
      field,
    })),
  })
}

function conflictMessage(found: readonly { manager: string; field: string }[]): string {
  const [first] = found
  if (found.length === 1 && first) return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.field}`
  const lines = [...new Set(found.map(({ manager }) => manager))].sort().flatMap((manager) => {
    const fields = found.filter((conflict) => conflict.manager === manager).map(({ field }) => `- ${field}`)
    return [`conflicts with ${manager}:`, ...fields]
  })
  return `Apply failed with ${found.length} conflicts: ${lines.join('\n')}`
}

function managerText(entry: ManagedFields): string {
  const name = JSON.stringify(entry.manager)
  const where = entry.subresource ? `${name} with subresource ${JSON.stringify(entry.subresource)}` : name
  return entry.operation === 'Update' ? `${where} using ${entry.apiVersion}` : where
}
