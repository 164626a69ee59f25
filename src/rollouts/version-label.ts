import type { VersionLabels } from '../mesh/provider.ts'
import type { VersionSpec } from '../model/service.ts'

/**
 * How Istio's metrics name versions: by the Pods' label `version`, else `app.kubernetes.io/version`, else, where the version
 * names it, by the workload. Undefined when nothing tells the versions apart.
 */
export function versionLabels(
  versions: Readonly<Record<string, VersionSpec>>,
  names: readonly string[],
): VersionLabels | undefined {
  const byVersion = names.map((name) => [
    name,
    versions[name]?.labels.version ?? versions[name]?.labels['app.kubernetes.io/version'],
  ])
  if (areDistinct(byVersion)) return { label: 'destination_version', values: Object.fromEntries(byVersion) }
  const byWorkload = names.map((name) => [name, versions[name]?.workload])
  return areDistinct(byWorkload) ? { label: 'destination_workload', values: Object.fromEntries(byWorkload) } : undefined
}

function areDistinct(pairs: readonly (readonly (string | undefined)[])[]): boolean {
  const values = pairs.map(([, value]) => value)
  return values.every((value) => value !== undefined && value !== '') && new Set(values).size === values.length
}
