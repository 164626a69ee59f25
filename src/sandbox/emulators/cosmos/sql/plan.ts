import { topOf } from './run.ts'
import type { Projection, Query, Value } from './syntax.ts'

/** The place in a rewritten query where the SDK puts its own condition. */
const filterSlot = '{documentdb-formattableorderbyquery-filter}'

/** True when a query over several partitions needs the SDK to merge them, by a plan: TOP and ORDER BY. */
export function needsPlan(query: Query): boolean {
  return query.top !== undefined || query.orderBy.length > 0
}

/**
 * How the SDK runs a query over partitions: it sends the rewritten query to each range, merges by `orderByItems`, hands
 * out `payload`, and stops at `top`. The shape is the gateway's (version 2), as @azure/cosmos reads it.
 */
export function queryPlan(query: Query, parameters: ReadonlyMap<string, Value>): Record<string, unknown> {
  return {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo: {
      distinctType: 'None',
      top: topOf(query, parameters) ?? null,
      offset: null,
      limit: null,
      orderBy: query.orderBy.map(({ descending }) => (descending ? 'Descending' : 'Ascending')),
      orderByExpressions: query.text.orderItems,
      groupByExpressions: [],
      groupByAliases: [],
      aggregates: [],
      groupByAliasToAggregateType: {},
      rewrittenQuery: query.orderBy.length > 0 ? rewrite(query) : '',
      hasSelectValue: query.projection.kind === 'value',
      dCountInfo: null,
      hasNonStreamingOrderBy: false,
    },
    queryRanges: [{ min: '', max: 'FF', isMinInclusive: true, isMaxInclusive: false }],
  }
}

function rewrite({ alias, text, projection, where }: Query): string {
  const items = text.orderItems.map((item) => `{"item": ${item}}`).join(', ')
  const condition = where ? `(${text.where}) AND (${filterSlot})` : filterSlot
  const columns = `${alias}._rid, [${items}] AS orderByItems, ${payload(projection, alias)} AS payload`
  return `SELECT ${text.top}${columns} ${text.from} WHERE ${condition} ${text.orderBy}`
}

function payload(projection: Projection, alias: string): string {
  if (projection.kind === 'all') return alias
  if (projection.kind === 'value') return projection.column.text
  return `{${projection.columns.map(({ name, text }) => `${JSON.stringify(name)}: ${text}`).join(', ')}}`
}
