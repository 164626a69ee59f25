import { type Binary, type BinaryOperator, isComparison } from './expression.ts'
import { QueryError } from './query-error.ts'
import type { Labels } from './series-source.ts'
import { labelsKey, withoutName } from './vectors.ts'

/** One element of an instant vector. */
export interface Instant {
  readonly labels: Labels
  readonly value: number
}

type Operand = number | readonly Instant[]
type Operation = Pick<Binary, 'operator' | 'bool'>

/**
 * A binary operation on scalars and vectors. Two vectors are matched one to one on all labels but the name; QueryError
 * `execution` when that is not possible.
 */
export function combine(operation: Operation, left: Operand, right: Operand): number | Instant[] {
  if (typeof left === 'number') {
    if (typeof right === 'number') return compute(operation.operator, left, right)
    return right.flatMap((item) => element(operation, item, [left, item.value]))
  }
  if (typeof right === 'number') return left.flatMap((item) => element(operation, item, [item.value, right]))
  return operation.operator === 'or' ? union(left, right) : matched(operation, left, right)
}

/** The result for one element of a vector, whose labels it takes. A comparison without `bool` keeps the element as it is. */
function element({ operator, bool }: Operation, item: Instant, [left, right]: readonly [number, number]): Instant[] {
  const value = compute(operator, left, right)
  if (isComparison(operator) && !bool) return value === 1 ? [item] : []
  return [{ labels: withoutName(item.labels), value }]
}

function matched(operation: Operation, left: readonly Instant[], right: readonly Instant[]): Instant[] {
  const partners = uniqueByLabels(right)
  const used = new Set<string>()
  return left.flatMap((item) => {
    const key = labelsKey(withoutName(item.labels))
    const partner = partners.get(key)
    if (partner === undefined) return []
    if (used.has(key)) {
      const rule = 'many-to-one matching must be explicit (group_left/group_right)'
      throw new QueryError('execution', `multiple matches for labels: ${rule}`)
    }
    used.add(key)
    return element(operation, item, [item.value, partner.value])
  })
}

function uniqueByLabels(items: readonly Instant[]): Map<string, Instant> {
  const unique = new Map<string, Instant>()
  for (const item of items) {
    const labels = withoutName(item.labels)
    const key = labelsKey(labels)
    if (unique.has(key)) {
      const where = `for the match group ${showLabels(labels)} on the right hand-side of the operation`
      const rule = 'many-to-many matching not allowed: matching labels must be unique on one side'
      throw new QueryError('execution', `found duplicate series ${where};${rule}`)
    }
    unique.set(key, item)
  }
  return unique
}

function showLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `{${pairs.sort().join(', ')}}`
}

/** All of the left side, and of the right side what has no equal (but for the name) on the left. */
function union(left: readonly Instant[], right: readonly Instant[]): Instant[] {
  const known = new Set(left.map((item) => labelsKey(withoutName(item.labels))))
  return [...left, ...right.filter((item) => !known.has(labelsKey(withoutName(item.labels))))]
}

/** Comparisons give 1 or 0. */
function compute(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    case '%':
      return left % right
    case '^':
      return left ** right
    case '==':
      return Number(left === right)
    case '!=':
      return Number(left !== right)
    case '>':
      return Number(left > right)
    case '<':
      return Number(left < right)
    case '>=':
      return Number(left >= right)
    case '<=':
      return Number(left <= right)
    case 'or':
      return Number.NaN
  }
}
