import type { Container, JSONValue, SqlParameter, SqlQuerySpec } from '@azure/cosmos'
import { PortError } from '../../ports/port-error.ts'
import { COSMOS } from './cosmos-failure.ts'

const PATH = /^[A-Za-z_][A-Za-z0-9_]{0,63}(\.[A-Za-z_][A-Za-z0-9_]{0,63}){0,7}$/

/** Conditions that are joined by AND, with their values as parameters: no value is ever part of the text. */
export interface Condition {
  readonly text: string
  readonly values: Readonly<Record<string, JSONValue>>
}

/** `SELECT TOP n … FROM c WHERE … ORDER BY …`. `columns` and `orderBy` are written by this code, never by a caller. */
export function selectTop(
  count: number,
  columns: string,
  conditions: readonly Condition[],
  orderBy: string,
): SqlQuerySpec {
  const { text, parameters } = whereOf(conditions)
  return { query: `SELECT TOP ${Math.trunc(count)} ${columns} FROM c${text} ORDER BY ${orderBy}`, parameters }
}

/** `SELECT * FROM c WHERE …`, in no order. */
export function selectAll(conditions: readonly Condition[]): SqlQuerySpec {
  const { text, parameters } = whereOf(conditions)
  return { query: `SELECT * FROM c${text}`, parameters }
}

function whereOf(conditions: readonly Condition[]): { text: string; parameters: SqlParameter[] } {
  const text = conditions.length === 0 ? '' : ` WHERE ${conditions.map(({ text }) => text).join(' AND ')}`
  const parameters = conditions.flatMap(({ values }) =>
    Object.entries(values).map(([name, value]) => ({ name, value })),
  )
  return { text, parameters }
}

/** `a.b` as `c["a"]["b"]`, which no reserved word upsets. Throws PortError `invalid` for anything but plain names. */
export function fieldPath(path: string): string {
  if (!PATH.test(path)) throw new PortError('invalid', COSMOS, `not a field: ${JSON.stringify(path).slice(0, 100)}`)
  return `c${path
    .split('.')
    .map((name) => `["${name}"]`)
    .join('')}`
}

/** Keys that begin with `prefix` as a range, which an index serves: from it up to its successor. */
export function startsWith(prefix: string): Condition {
  const last = prefix.charCodeAt(prefix.length - 1)
  const successor = prefix.slice(0, -1) + String.fromCharCode(last + 1)
  return { text: '(c.key >= @from AND c.key < @to)', values: { '@from': prefix, '@to': successor } }
}

export interface QueryOptions {
  /** Stay within one partition. */
  readonly partition?: string | undefined
  /** Rows a request; the SDK's own when left out. */
  readonly pageSize?: number
  readonly signal: AbortSignal
}

/** All rows of a query; the SDK goes from page to page and over the partitions. */
export async function queryAll<Row>(
  container: Container,
  query: SqlQuerySpec,
  { partition, signal, pageSize }: QueryOptions,
): Promise<readonly Row[]> {
  const options = {
    abortSignal: signal,
    ...(partition === undefined ? {} : { partitionKey: partition }),
    ...(pageSize === undefined ? {} : { maxItemCount: pageSize }),
  }
  const { resources } = await container.items.query<Row>(query, options).fetchAll()
  return resources
}
