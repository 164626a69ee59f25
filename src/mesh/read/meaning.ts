import { canonicalJson } from '../../model/digest.ts'
import type { KubeRef } from '../../model/kube.ts'

/** Where something stands on a cluster. */
export interface Place {
  readonly object: KubeRef
  /** JSON pointer into the object. */
  readonly pointer: string
}

/** One thing that objects say, in a form in which the same effect has the same text. */
export interface Statement {
  /** Two statements of a topic with one key are about the same. */
  readonly key: string
  /** By field. */
  readonly value: Readonly<Record<string, unknown>>
  readonly at: Place
}

/** What objects say of one matter: the routes of a port, the limits of connections, who is let in. */
export interface Topic {
  readonly statements: readonly Statement[]
  /** Does their order count? */
  readonly isOrdered?: boolean
}

/** What the objects of a service mean to its mesh, by topic. How they are written, cut up and called is no part of it. */
export type Meaning = Readonly<Record<string, Topic>>

/** Something that differs between what is there and what Meshwright would write. */
export interface Difference {
  readonly topic: string
  /** `lost`: only there; `added`: only in ours; `changed`: in both, and not the same. */
  readonly kind: 'lost' | 'added' | 'changed'
  readonly at: Place
  readonly there?: unknown
  readonly ours?: unknown
}

/** Every difference between the meaning of what is there and that of what Meshwright would write; none: the effect is the same. */
export function differences(there: Meaning, ours: Meaning): readonly Difference[] {
  const topics = [...new Set([...Object.keys(there), ...Object.keys(ours)])].sort()
  return topics.flatMap((topic) => inTopic(topic, there[topic] ?? NOTHING, ours[topic] ?? NOTHING))
}

const NOTHING: Topic = { statements: [] }

function inTopic(topic: string, there: Topic, ours: Topic): readonly Difference[] {
  const [theirs, own] = [byKey(there), byKey(ours)]
  const found = [...theirs].flatMap(([key, statement]): readonly Difference[] => {
    const other = own.get(key)
    if (!other) return [{ topic, kind: 'lost', at: statement.at, there: statement.value }]
    return fieldsThatDiffer(topic, statement, other)
  })
  const added = [...own]
    .filter(([key]) => !theirs.has(key))
    .map(([, { at, value }]): Difference => ({ topic, kind: 'added', at, ours: value }))
  const isOrdered = there.isOrdered || ours.isOrdered
  return [...found, ...added, ...(isOrdered && found.length + added.length === 0 ? inOrder(topic, there, ours) : [])]
}

/** What is said twice in the same words is said once; in other words, it is another statement. */
function byKey({ statements }: Topic): ReadonlyMap<string, Statement> {
  const found = new Map<string, Statement>()
  for (const statement of statements) {
    let key = statement.key
    let known = found.get(key)
    while (known && canonicalJson(known.value) !== canonicalJson(statement.value)) {
      key = `${key}#`
      known = found.get(key)
    }
    if (!known) found.set(key, statement)
  }
  return found
}

function fieldsThatDiffer(topic: string, there: Statement, ours: Statement): readonly Difference[] {
  const fields = [...new Set([...Object.keys(there.value), ...Object.keys(ours.value)])].sort()
  return fields.flatMap((field): readonly Difference[] => {
    const [a, b] = [there.value[field], ours.value[field]]
    if (canonicalJson(a) === canonicalJson(b)) return []
    const at = { ...there.at, pointer: `${there.at.pointer}/${field}` }
    if (a === undefined) return [{ topic, kind: 'added', at, ours: b }]
    return [b === undefined ? { topic, kind: 'lost', at, there: a } : { topic, kind: 'changed', at, there: a, ours: b }]
  })
}

/** Neighbours that say the same may change places. */
function inOrder(topic: string, there: Topic, ours: Topic): readonly Difference[] {
  const [a, b] = [sortedRuns(there.statements), sortedRuns(ours.statements)]
  const index = a.findIndex(({ key }, at) => key !== b[at]?.key)
  const first = a[index]
  if (!first) return []
  return [{ topic, kind: 'changed', at: first.at, there: first.key, ours: b[index]?.key }]
}

function sortedRuns(statements: readonly Statement[]): readonly Statement[] {
  const runs: Statement[][] = []
  for (const statement of statements) {
    const last = runs.at(-1)
    if (last?.[0] && canonicalJson(last[0].value) === canonicalJson(statement.value)) last.push(statement)
    else runs.push([statement])
  }
  return runs.flatMap((run) => run.toSorted((a, b) => (a.key < b.key ? -1 : 1)))
}
