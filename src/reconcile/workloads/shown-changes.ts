import type { FieldChange } from '../content.ts'
import type { Container } from './deployment.ts'

/** In place of what may hold secrets. */
const NOT_SHOWN = '(not shown)'

/** Fields of a Deployment that hold nothing secret, and what is below them. */
const SHOWN = [
  'metadata',
  'spec.replicas',
  'spec.selector',
  'spec.strategy',
  'spec.minReadySeconds',
  'spec.progressDeadlineSeconds',
  'spec.revisionHistoryLimit',
  'spec.template.metadata.labels',
]
const CONTAINERS = /^spec\.template\.spec\.(initContainers|containers)$/

/**
 * Changes of a Deployment as every reader may see them: who plans it reads Pods that are not ours, with secrets in their
 * environment, arguments and annotations. Of containers names and images are left, of other fields only that they change.
 */
export function shownChanges(changes: readonly FieldChange[]): readonly FieldChange[] {
  return changes.map(({ path, from, to }) => {
    if (SHOWN.some((field) => path === field || path.startsWith(`${field}.`))) return { path, from, to }
    const show = CONTAINERS.test(path) ? imagesOf : hide
    return { path, from: show(from), to: show(to) }
  })
}

function imagesOf(containers: unknown): unknown {
  return (containers as readonly Container[] | undefined)?.map(({ name, image }) => ({ name, image }))
}

function hide(value: unknown): unknown {
  return value === undefined ? undefined : NOT_SHOWN
}
