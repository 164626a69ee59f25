import { type ColumnType, type Compiled, compile, type Row, type Schema, type Value } from './compile.ts'
import type { Named, Query, Step } from './parse.ts'
import { KqlError } from './tokens.ts'

/** Equal rows as one, with how many they are. */
export interface CountedRow {
  readonly row: Row
  readonly count: number
}

export interface Table {
  readonly schema: Schema
  readonly rows: readonly CountedRow[]
}

/** Runs a query's steps over its table. Throws KqlError. */
export function runKql({ steps }: Query, table: Table): Table {
  return steps.reduce(runStep, table)
}

function runStep(table: Table, step: Step): Table {
  const { schema, rows } = table
  if (step.kind === 'where') {
    const condition = compile(step.condition, schema)
    if (condition.type !== 'bool') throw new KqlError('SemanticError', 'where: the condition is no bool')
    return { schema, rows: rows.filter(({ row }) => condition.of(row) === true) }
  }
  if (step.kind === 'count') {
    return { schema: { Count: 'long' }, rows: [{ row: { Count: countOf(rows) }, count: 1 }] }
  }
  if (step.kind === 'take') return { schema, rows: firstOf(rows, step.rows) }
  if (step.kind === 'extend') return extend(table, step.columns)
  if (step.kind === 'project') return project(extend(table, step.columns), step.columns)
  return summarize(table, step.columns, step.by)
}

function firstOf(rows: readonly CountedRow[], most: number): readonly CountedRow[] {
  let left = most
  return rows.flatMap(({ row, count }) => {
    const taken = Math.min(count, left)
    left -= taken
    return taken === 0 ? [] : [{ row, count: taken }]
  })
}

function extend({ schema, rows }: Table, columns: readonly Named[]): Table {
  const added = columns.map(({ name, expression }) => ({ name, compiled: compile(expression, schema) }))
  return {
    schema: { ...schema, ...Object.fromEntries(added.map(({ name, compiled }) => [name, compiled.type])) },
    rows: rows.map(({ row, count }) => ({
      row: { ...row, ...Object.fromEntries(added.map(({ name, compiled }) => [name, compiled.of(row)])) },
      count,
    })),
  }
}

function project({ schema, rows }: Table, columns: readonly Named[]): Table {
  const only = <T>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(columns.map(({ name }) => [name, all[name] as T]))
  return { schema: only(schema), rows: rows.map(({ row, count }) => ({ row: only(row), count })) }
}

interface Aggregate {
  readonly name: string
  readonly type: ColumnType
  of(rows: readonly CountedRow[]): Value
}

/** Without `by` there is one group, also of no rows. */
function summarize({ schema, rows }: Table, columns: readonly Named[], by: readonly Named[]): Table {
  const keys = by.map(({ name, expression }) => ({ name, compiled: compile(expression, schema) }))
  const aggregates = columns.map((column) => aggregateOf(column, schema))
  const groups = new Map<string, { key: Row; rows: CountedRow[] }>(by.length > 0 ? [] : [['{}', { key: {}, rows: [] }]])
  for (const counted of rows) {
    const key = Object.fromEntries(keys.map(({ name, compiled }) => [name, compiled.of(counted.row)]))
    const id = JSON.stringify(key)
    const group = groups.get(id) ?? { key, rows: [] }
    groups.set(id, group)
    group.rows.push(counted)
  }
  const types = [
    ...keys.map(({ name, compiled }) => [name, compiled.type]),
    ...aggregates.map(({ name, type }) => [name, type]),
  ]
  return {
    schema: Object.fromEntries(types) as Schema,
    rows: [...groups.values()].map((group) => ({
      row: { ...group.key, ...Object.fromEntries(aggregates.map(({ name, of }) => [name, of(group.rows)])) },
      count: 1,
    })),
  }
}

function aggregateOf({ name, expression }: Named, schema: Schema): Aggregate {
  if (expression.kind !== 'call') throw new KqlError('SemanticError', `summarize: '${name}' is no aggregate`)
  const operands = expression.operands.map((operand) => compile(operand, schema))
  const [operand, second] = operands
  if (expression.name === 'count' && operands.length === 0) return { name, type: 'long', of: (rows) => countOf(rows) }
  if (expression.name === 'percentile' && operand && second && expression.operands[1]?.kind === 'literal') {
    return { name, type: operand.type, of: (rows) => percentile(rows, operand, Number(second.of({}))) }
  }
  if (!operand || operands.length !== 1) throw new KqlError('SemanticError', `${expression.name}(): takes one argument`)
  if (expression.name === 'countif' && operand.type === 'bool') {
    return { name, type: 'long', of: (rows) => countOf(rows.filter(({ row }) => operand.of(row) === true)) }
  }
  if (expression.name === 'max') return { name, type: operand.type, of: (rows) => highest(rows, operand) }
  throw new KqlError('SemanticError', `Unknown aggregate: '${expression.name}' of ${operand.type}`)
}

function countOf(rows: readonly CountedRow[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0)
}

/** The nearest rank; the service estimates it, by an error of less than a hundredth of the rank. */
function percentile(rows: readonly CountedRow[], operand: Compiled, rank: number): Value {
  const known = rows
    .map(({ row, count }) => ({ value: operand.of(row), count }))
    .filter(({ value }) => value !== null)
    .sort((a, b) => Number(a.value) - Number(b.value))
  const all = known.reduce((sum, { count }) => sum + count, 0)
  let seen = 0
  for (const { value, count } of known) {
    seen += count
    if (seen >= (rank / 100) * all) return value
  }
  return null
}

function highest(rows: readonly CountedRow[], operand: Compiled): Value {
  return rows.reduce<Value>((best, { row }) => {
    const value = operand.of(row)
    return value !== null && (best === null || value > best) ? value : best
  }, null)
}
