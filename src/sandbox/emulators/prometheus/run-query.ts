import { evaluator, type NumericSeries, type Value } from './evaluate.ts'
import { type Expression, valueType } from './expression.ts'
import { parseExpression } from './parse.ts'
import { ParseError } from './query-error.ts'
import { type InstantParameters, invalid, type RangeParameters } from './query-parameters.ts'
import type { Labels, SeriesSource } from './series-source.ts'
import { labelsKey } from './vectors.ts'

/** What an expression is at one time. Throws QueryError. */
export function runInstantQuery({ query, timeMs }: InstantParameters, source: SeriesSource): Value {
  return evaluator(parse(query), source, [timeMs, timeMs])(timeMs)
}

/** What an expression is at every step from start to end, as a matrix. Throws QueryError. */
export function runRangeQuery({ query, startMs, endMs, stepMs }: RangeParameters, source: SeriesSource): Value {
  const expression = parse(query)
  const type = valueType(expression)
  if (type === 'range vector' || type === 'string') {
    const rule = 'for range query, must be Scalar or instant Vector'
    throw invalid('query', `invalid expression type "${type}" ${rule}`)
  }
  const at = evaluator(expression, source, [startMs, endMs])
  const all = new Map<string, { labels: Labels; samples: [number, number][] }>()
  for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
    for (const { labels, value } of vectorOf(at(timeMs))) {
      const key = labelsKey(labels)
      const series = all.get(key)
      if (series === undefined) all.set(key, { labels, samples: [[timeMs, value]] })
      else series.samples.push([timeMs, value])
    }
  }
  const series: NumericSeries[] = [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found)
  return { type: 'matrix', series }
}

function parse(query: string): Expression {
  try {
    return parseExpression(query)
  } catch (error) {
    if (error instanceof ParseError) throw invalid('query', error.message)
    throw error
  }
}

function vectorOf(value: Value): readonly { readonly labels: Labels; readonly value: number }[] {
  if (value.type === 'scalar') return [{ labels: {}, value: value.value }]
  return value.type === 'vector' ? value.items : []
}
