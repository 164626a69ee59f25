import type { Expression } from './parse.ts'
import { KqlError } from './tokens.ts'

export type ColumnType = 'string' | 'long' | 'real' | 'bool' | 'datetime' | 'dynamic'
export type Value = string | number | boolean | Date | null | Readonly<Record<string, unknown>>
export type Row = Readonly<Record<string, Value>>
export type Schema = Readonly<Record<string, ColumnType>>

/** An expression that is known to make sense for rows of a schema. */
export interface Compiled {
  readonly type: ColumnType
  of(row: Row): Value
}

const NUMBERS: readonly ColumnType[] = ['long', 'real']

/** Compiles an expression over a schema. Throws KqlError (SemanticError) for unknown columns, functions and types that do not go together. */
export function compile(expression: Expression, schema: Schema): Compiled {
  switch (expression.kind) {
    case 'literal':
      return { type: typeOf(expression.value), of: () => expression.value }
    case 'column':
      return columnOf(expression.name, schema)
    case 'property':
      return propertyOf(compile(expression.of, schema), expression.name)
    case 'call':
      return callOf(
        expression.name,
        expression.operands.map((operand) => compile(operand, schema)),
      )
    case 'in':
      return isIn(
        compile(expression.operand, schema),
        expression.values.map((value) => compile(value, schema)),
      )
    case 'binary':
      return binaryOf(expression.operator, compile(expression.left, schema), compile(expression.right, schema))
  }
}

function typeOf(value: string | number | boolean | Date): ColumnType {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (value instanceof Date) return 'datetime'
  return Number.isInteger(value) ? 'long' : 'real'
}

function columnOf(name: string, schema: Schema): Compiled {
  const type = Object.hasOwn(schema, name) ? schema[name] : undefined
  if (!type) throw new KqlError('SemanticError', `Failed to resolve column or scalar expression named '${name}'`)
  return { type, of: (row) => row[name] ?? null }
}

function propertyOf({ type, of }: Compiled, name: string): Compiled {
  if (type !== 'dynamic') throw new KqlError('SemanticError', `Only dynamic values have properties such as '${name}'`)
  return {
    type: 'dynamic',
    of(row) {
      const value = of(row)
      if (value === null || typeof value !== 'object' || value instanceof Date) return null
      return Object.hasOwn(value, name) ? (value[name] as Value) : null
    },
  }
}

const FUNCTIONS: Readonly<Record<string, readonly [type: ColumnType, call: (value: Value) => Value]>> = {
  // In KQL a text is never null, only empty.
  tostring: ['string', (value) => (value === null ? '' : String(value))],
  toint: ['long', (value) => wholeNumber(value)],
  tobool: ['bool', (value) => truth(value)],
  isnull: ['bool', (value) => value === null],
}

function callOf(name: string, operands: readonly Compiled[]): Compiled {
  const [type, call] = (Object.hasOwn(FUNCTIONS, name) && FUNCTIONS[name]) || []
  if (!type || !call) throw new KqlError('SemanticError', `Unknown function: '${name}'`)
  const [operand] = operands
  if (!operand || operands.length !== 1) throw new KqlError('SemanticError', `${name}(): takes one argument`)
  return { type, of: (row) => call(operand.of(row)) }
}

function wholeNumber(value: Value): number | null {
  if (typeof value === 'number') return Math.trunc(value)
  return typeof value === 'string' && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : null
}

function truth(value: Value): boolean | null {
  if (typeof value === 'boolean') return value
  const text = String(value).toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : null
}

function isIn(operand: Compiled, values: readonly Compiled[]): Compiled {
  for (const value of values) requireAlike(operand, value)
  return { type: 'bool', of: (row) => values.some((value) => compare(operand.of(row), value.of(row)) === 0) }
}

function binaryOf(operator: string, left: Compiled, right: Compiled): Compiled {
  if (operator === 'and' || operator === 'or') {
    if (left.type !== 'bool' || right.type !== 'bool') throw new KqlError('SemanticError', `'${operator}' joins bools`)
    return { type: 'bool', of: (row) => logic(operator, left.of(row), right.of(row)) }
  }
  requireAlike(left, right)
  return {
    type: 'bool',
    of(row) {
      const order = compare(left.of(row), right.of(row))
      return order === undefined ? null : (TESTS[operator]?.(order) ?? null)
    },
  }
}

const TESTS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

function requireAlike(left: Compiled, right: Compiled): void {
  const alike = left.type === right.type || (NUMBERS.includes(left.type) && NUMBERS.includes(right.type))
  if (!alike) throw new KqlError('SemanticError', `Cannot compare values of types ${left.type} and ${right.type}`)
}

/** Undefined when one is null: such a comparison is null itself. */
function compare(left: Value, right: Value): number | undefined {
  if (left === null || right === null) return undefined
  const [a, b] = [left instanceof Date ? left.getTime() : left, right instanceof Date ? right.getTime() : right]
  return a === b ? 0 : a < b ? -1 : 1
}

/** With nulls: false settles `and`, true settles `or`, else a null makes it null. */
function logic(operator: 'and' | 'or', left: Value, right: Value): Value {
  const settles = operator === 'or'
  if (left === settles || right === settles) return settles
  return left === null || right === null ? null : !settles
}
