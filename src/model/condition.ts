/**
 * What is the case about a thing, in the form of Kubernetes conditions. `reason` is CamelCase for machines, `message` is
 * for people, deterministic and without times, so that an unchanged state writes an unchanged condition.
 */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  /** RFC 3339; moves only when `status` does. */
  readonly lastTransitionTime: string
  readonly observedGeneration?: number
}

export type ConditionInput = Omit<Condition, 'lastTransitionTime'>

/** `conditions` with `next` in place of the one of its type; the transition time is kept while the status is the same. */
export function setCondition(conditions: readonly Condition[], next: ConditionInput, now: string): Condition[] {
  const before = conditions.find((condition) => condition.type === next.type)
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : now
  const after = { ...next, lastTransitionTime }
  return before === undefined
    ? [...conditions, after]
    : conditions.map((condition) => (condition.type === next.type ? after : condition))
}

export function findCondition(conditions: readonly Condition[], type: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type)
}

/** What was found of one type, without what all of a document's conditions share. */
export type Finding = Omit<ConditionInput, 'type' | 'observedGeneration'>

/** `conditions` with what was found, by type, of a generation. `now` is RFC 3339. */
export function setConditions(
  conditions: readonly Condition[],
  found: Readonly<Record<string, Finding>>,
  observedGeneration: number,
  now: string,
): readonly Condition[] {
  return Object.entries(found).reduce(
    (after, [type, finding]) => setCondition(after, { type, ...finding, observedGeneration }, now),
    conditions,
  )
}

export function yes(reason: string, message: string): Finding {
  return { status: 'True', reason, message }
}

export function no(reason: string, message: string): Finding {
  return { status: 'False', reason, message }
}

export function unknown(reason: string, message: string): Finding {
  return { status: 'Unknown', reason, message }
}
