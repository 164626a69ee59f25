import type { Grouping } from './expression.ts'
import type { Instant } from './operators.ts'
import { QueryError } from './query-error.ts'
import type { Labels } from './series-source.ts'

export function withoutName(labels: Labels): Labels {
  const { __name__: _, ...rest } = labels
  return rest
}

/** One text for equal sets of labels, whatever their order. */
export function labelsKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Throws QueryError when two elements have equal labels: series that differed by name alone, and lost it. */
export function refuseDuplicates(items: readonly Instant[]): readonly Instant[] {
  if (new Set(items.map((item) => labelsKey(item.labels))).size === items.length) return items
  throw new QueryError('execution', 'vector cannot contain metrics with the same labelset')
}

/** `sum` with its grouping; the groups come in the order in which they are first seen. */
export function groupedSum(items: readonly Instant[], grouping: Grouping): Instant[] {
  const groups = new Map<string, { labels: Labels; value: number }>()
  for (const { labels, value } of items) {
    const kept = groupLabels(labels, grouping)
    const key = labelsKey(kept)
    const group = groups.get(key)
    if (group) group.value += value
    else groups.set(key, { labels: kept, value })
  }
  return [...groups.values()]
}

function groupLabels(labels: Labels, { mode, labels: names }: Grouping): Labels {
  const keep = (name: string) => (mode === 'by' ? names.includes(name) : name !== '__name__' && !names.includes(name))
  return Object.fromEntries(Object.entries(labels).filter(([name]) => keep(name)))
}
