import type { LabelMatcher } from './series-source.ts'

/** The part of PromQL that the emulator knows, parsed and checked. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | Selector
  | { readonly kind: 'negation'; readonly operand: Expression }
  | { readonly kind: 'time' }
  | { readonly kind: 'vector'; readonly scalar: Expression }
  | { readonly kind: 'rate'; readonly perSecond: boolean; readonly range: Selector }
  | { readonly kind: 'quantile'; readonly rank: Expression; readonly buckets: Expression }
  | { readonly kind: 'sum'; readonly grouping: Grouping; readonly operand: Expression }
  | Binary

export interface Selector {
  readonly kind: 'selector'
  readonly matchers: readonly LabelMatcher[]
  readonly offsetMs: number
  /** Present: a range vector, the samples of (t - offset - range, t - offset]. */
  readonly rangeMs?: number
}

/** `by`: these labels stay; `without`: all but these and the name stay. A plain `sum(...)` keeps none. */
export interface Grouping {
  readonly mode: 'by' | 'without'
  readonly labels: readonly string[]
}

export const ARITHMETIC = ['+', '-', '*', '/', '%', '^'] as const
export const COMPARISON = ['==', '!=', '>', '<', '>=', '<='] as const
export type BinaryOperator = (typeof ARITHMETIC)[number] | (typeof COMPARISON)[number] | 'or'

export interface Binary {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  /** A comparison that answers 0 or 1 in place of filtering. */
  readonly bool: boolean
  readonly left: Expression
  readonly right: Expression
}

export type ValueType = 'scalar' | 'string' | 'instant vector' | 'range vector'

/** What an expression evaluates to, by the name that Prometheus' messages use. */
export function valueType(expression: Expression): ValueType {
  switch (expression.kind) {
    case 'number':
    case 'time':
      return 'scalar'
    case 'string':
      return 'string'
    case 'selector':
      return expression.rangeMs === undefined ? 'instant vector' : 'range vector'
    case 'negation':
      return valueType(expression.operand)
    case 'binary':
      return valueType(expression.left) === 'scalar' ? valueType(expression.right) : 'instant vector'
    default:
      return 'instant vector'
  }
}

export function isComparison(operator: BinaryOperator): boolean {
  return (COMPARISON as readonly string[]).includes(operator)
}

/** Every selector of an expression. */
export function selectorsOf(expression: Expression): readonly Selector[] {
  switch (expression.kind) {
    case 'selector':
      return [expression]
    case 'negation':
    case 'sum':
      return selectorsOf(expression.operand)
    case 'vector':
      return selectorsOf(expression.scalar)
    case 'quantile':
      return [...selectorsOf(expression.rank), ...selectorsOf(expression.buckets)]
    case 'rate':
      return [expression.range]
    case 'binary':
      return [...selectorsOf(expression.left), ...selectorsOf(expression.right)]
    default:
      return []
  }
}
