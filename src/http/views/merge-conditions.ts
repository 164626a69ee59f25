import type { Condition } from '../../model/condition.ts'

/** Condition types whose `True` is the trouble. */
const ABNORMAL = ['Conflict', 'Drifted', 'Held', 'Frozen']

/**
 * The conditions of one thing on several clusters as one: of each type the worst status, the reasons of those that have
 * it, and messages that name their cluster.
 */
export function mergeConditions(
  parts: readonly { readonly cluster: string; readonly conditions: readonly Condition[] }[],
): readonly Condition[] {
  const types = [...new Set(parts.flatMap(({ conditions }) => conditions.map(({ type }) => type)))]
  return types.flatMap((type) => {
    const all = parts.flatMap(({ cluster, conditions }) =>
      conditions.filter((condition) => condition.type === type).map((condition) => ({ cluster, condition })),
    )
    const worst = [...all].sort((a, b) => badness(b.condition) - badness(a.condition))[0]?.condition
    if (!worst) return []
    const alike = all.filter(({ condition }) => condition.status === worst.status)
    const generations = all.map(({ condition }) => condition.observedGeneration).filter((seen) => seen !== undefined)
    const merged: Condition = {
      type,
      status: worst.status,
      reason: worst.reason,
      message: alike.map(({ cluster, condition }) => `${cluster}: ${condition.message}`).join(' '),
      lastTransitionTime: newest(alike.map(({ condition }) => condition.lastTransitionTime)),
      ...(generations.length > 0 ? { observedGeneration: Math.min(...generations) } : {}),
    }
    return [merged]
  })
}

function newest(times: readonly string[]): string {
  return [...times].sort().at(-1) ?? ''
}

function badness(condition: Condition): number {
  const bad = ABNORMAL.includes(condition.type) ? 'True' : 'False'
  if (condition.status === bad) return 2
  return condition.status === 'Unknown' ? 1 : 0
}
