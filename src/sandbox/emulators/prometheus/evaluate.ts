import { type Binary, type Expression, type Selector, selectorsOf } from './expression.ts'
import { histogramQuantile } from './histogram-quantile.ts'
import { combine, type Instant } from './operators.ts'
import { increaseOf } from './rate.ts'
import type { Labels, Sample, Series, SeriesSource } from './series-source.ts'
import { groupedSum, refuseDuplicates, withoutName } from './vectors.ts'

export type Value =
  | { readonly type: 'scalar'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'vector'; readonly items: readonly Instant[] }
  | { readonly type: 'matrix'; readonly series: readonly NumericSeries[] }

export interface NumericSeries {
  readonly labels: Labels
  readonly samples: readonly (readonly [timeMs: number, value: number])[]
}

/** How far back an instant selector looks for a sample: Prometheus' default of five minutes. */
export const LOOKBACK_MS = 300_000

/**
 * A function that evaluates an expression at any time of [fromMs, toMs]. Each selector reads its series once.
 * Both the lookback and a range are open on the left and closed on the right, as in Prometheus 3.0 and later (in 2.x a
 * sample on the left edge counted too). The function throws QueryError for what cannot be computed.
 */
export function evaluator(
  expression: Expression,
  source: SeriesSource,
  [fromMs, toMs]: readonly [number, number],
): (timeMs: number) => Value {
  const read = new Map<Selector, readonly Series[]>()
  for (const selector of selectorsOf(expression)) {
    const from = fromMs - selector.offsetMs - (selector.rangeMs ?? LOOKBACK_MS)
    read.set(selector, source.series(selector.matchers, from, toMs - selector.offsetMs))
  }
  return (timeMs) => evaluate(expression, { timeMs, seriesOf: (selector) => read.get(selector) ?? [] })
}

interface Scope {
  readonly timeMs: number
  seriesOf(selector: Selector): readonly Series[]
}

function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'number':
    case 'time':
      return { type: 'scalar', value: expression.kind === 'time' ? scope.timeMs / 1000 : expression.value }
    case 'string':
      return { type: 'string', value: expression.value }
    case 'selector':
      return expression.rangeMs === undefined
        ? { type: 'vector', items: instants(expression, scope) }
        : { type: 'matrix', series: ranges(expression, expression.rangeMs, scope) }
    case 'negation':
      return negated(evaluate(expression.operand, scope))
    case 'vector':
      return { type: 'vector', items: [{ labels: {}, value: scalarOf(evaluate(expression.scalar, scope)) }] }
    case 'rate':
      return { type: 'vector', items: refuseDuplicates(rates(expression.range, expression.perSecond, scope)) }
    case 'quantile': {
      const rank = scalarOf(evaluate(expression.rank, scope))
      return { type: 'vector', items: histogramQuantile(rank, itemsOf(evaluate(expression.buckets, scope))) }
    }
    case 'sum':
      return { type: 'vector', items: groupedSum(itemsOf(evaluate(expression.operand, scope)), expression.grouping) }
    case 'binary':
      return binary(expression, scope)
  }
}

/** The last sample of each series in the lookback window, but none when a staleness marker came after it. */
function instants(selector: Selector, scope: Scope): Instant[] {
  const endMs = scope.timeMs - selector.offsetMs
  return scope.seriesOf(selector).flatMap(({ labels, samples }) => {
    const last = samples[countUntil(samples, endMs) - 1]
    return last === undefined || last[1] === null || last[0] <= endMs - LOOKBACK_MS ? [] : [{ labels, value: last[1] }]
  })
}

function ranges(selector: Selector, rangeMs: number, scope: Scope): NumericSeries[] {
  const endMs = scope.timeMs - selector.offsetMs
  return scope.seriesOf(selector).flatMap(({ labels, samples }) => {
    const window = samples.slice(countUntil(samples, endMs - rangeMs), countUntil(samples, endMs))
    const numbers = window.filter((sample): sample is [number, number] => sample[1] !== null)
    return numbers.length === 0 ? [] : [{ labels, samples: numbers }]
  })
}

/** How many samples are at or before a time. */
function countUntil(samples: readonly Sample[], timeMs: number): number {
  let [low, high] = [0, samples.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((samples[middle]?.[0] ?? 0) <= timeMs) low = middle + 1
    else high = middle
  }
  return low
}

function rates(range: Selector, perSecond: boolean, scope: Scope): Instant[] {
  const rangeMs = range.rangeMs ?? 0
  return ranges(range, rangeMs, scope).flatMap(({ labels, samples }) => {
    const increase = increaseOf(samples, scope.timeMs - range.offsetMs, rangeMs)
    if (increase === undefined) return []
    return [{ labels: withoutName(labels), value: perSecond ? increase / (rangeMs / 1000) : increase }]
  })
}

function negated(value: Value): Value {
  if (value.type === 'scalar') return { type: 'scalar', value: -value.value }
  const items = itemsOf(value).map((item) => ({ labels: withoutName(item.labels), value: -item.value }))
  return { type: 'vector', items: refuseDuplicates(items) }
}

function binary(expression: Binary, scope: Scope): Value {
  const [left, right] = [evaluate(expression.left, scope), evaluate(expression.right, scope)]
  const result = combine(
    expression,
    left.type === 'scalar' ? left.value : itemsOf(left),
    right.type === 'scalar' ? right.value : itemsOf(right),
  )
  return typeof result === 'number'
    ? { type: 'scalar', value: result }
    : { type: 'vector', items: refuseDuplicates(result) }
}

function itemsOf(value: Value): readonly Instant[] {
  return value.type === 'vector' ? value.items : []
}

function scalarOf(value: Value): number {
  return value.type === 'scalar' ? value.value : Number.NaN
}
