/** How often things happened in runs: faults, what stories did, phases in which processes died. */
export interface Counts {
  add(what: string, times?: number): void
  readonly all: ReadonlyMap<string, number>
}

export function createCounts(): Counts {
  const all = new Map<string, number>()
  return { all, add: (what, times = 1) => void all.set(what, (all.get(what) ?? 0) + times) }
}

/** One line a group, the most frequent first: `fault: crash before-send 12, reply-lost kubernetes 7`. */
export function countLines({ all }: Counts): readonly string[] {
  const groups = new Map<string, (readonly [string, number])[]>()
  for (const [what, times] of all) {
    const [group = '', ...rest] = what.split(': ')
    groups.set(group, [...(groups.get(group) ?? []), [rest.join(': '), times]])
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, entries]) => {
      const sorted = entries.toSorted(([, a], [, b]) => b - a)
      return `${group}: ${sorted.map(([name, times]) => `${name} ${times}`).join(', ')}`
    })
}
