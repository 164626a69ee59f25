import type { Rollout, VersionChange } from '../model/rollout.ts'
import type { VersionSpec } from '../model/service.ts'

/**
 * What the candidate has other than stable, field by field: labels, workload, and the images that it is made from. Empty when
 * nothing tells them apart.
 */
export function versionChanges(
  stable: VersionSpec | undefined,
  candidate: VersionSpec | undefined,
  image?: Rollout['image'],
): VersionChange[] {
  const images = Object.entries(image?.images ?? {}).map(
    ([name, value]) => [`image${name && `.${name}`}`, value] as const,
  )
  const [before, after] = [fieldsOf(stable), { ...fieldsOf(candidate), ...Object.fromEntries(images) }]
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return fields
    .filter((field) => before[field] !== after[field])
    .map((field) => ({ field, ...side('from', before[field]), ...side('to', after[field]) }))
}

function fieldsOf(version: VersionSpec | undefined): Readonly<Record<string, string>> {
  if (!version) return {}
  const labels = Object.entries(version.labels).map(([key, value]) => [`labels.${key}`, value] as const)
  return Object.fromEntries(version.workload === undefined ? labels : [...labels, ['workload', version.workload]])
}

function side<Key extends 'from' | 'to'>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: string })
}
