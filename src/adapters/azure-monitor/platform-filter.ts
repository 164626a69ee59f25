import type { PlatformSpec } from '../../model/metrics.ts'
import type { CountQuestion } from '../../ports/metrics.ts'
import { fill } from './kql.ts'

/**
 * The filter of a platform metric: the conditions of the count, and the versions that are asked for. Values of one
 * dimension are joined by `or`, dimensions by `and`, which is all that the service takes.
 */
export function platformFilter(
  count: PlatformSpec['all'],
  { versionDimension, versionValue }: Pick<PlatformSpec, 'versionDimension' | 'versionValue'>,
  { service, versions }: Pick<CountQuestion, 'service' | 'versions'>,
): string {
  const values = Object.values(versions).map((version) => fill(versionValue, { ...service, version }))
  const own = Object.entries(count.where).map(
    ([dimension, wanted]) => [dimension, [wanted].flat().map((value) => fill(value, { ...service }))] as const,
  )
  return [...own, [versionDimension, values] as const]
    .map(([dimension, wanted]) => anyOf(dimension, wanted))
    .join(' and ')
}

function anyOf(dimension: string, values: readonly string[]): string {
  const conditions = [...new Set(values)].map((value) => `${dimension} eq ${quoted(value)}`)
  return conditions.length === 1 ? conditions.join() : `(${conditions.join(' or ')})`
}

/** A value inside the quotes of an OData string. */
export function quoted(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
