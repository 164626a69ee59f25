import { type Comparison, type Expression, type FunctionName, type Json, QueryError, type Value } from './syntax.ts'

/** What an expression is evaluated over. */
export interface Scope {
  readonly document: Json
  readonly parameters: ReadonlyMap<string, Value>
}

/**
 * Equality between two types. It is not true; whether its negation is, the documentation (undefined) and the practice
 * of other emulators (true) differ. So it counts as undefined until something negates it, which is refused.
 */
const mixed = Symbol('mixed types')

type Truth = Value | typeof mixed

/**
 * The value of an expression, by Cosmos DB's rules: a missing property and a comparison of two types give undefined, and
 * AND, OR and NOT know three values. Throws QueryError for a parameter that was not sent and where no answer is safe.
 */
export function evaluate(expression: Expression, scope: Scope): Value {
  const value = evaluateTruth(expression, scope)
  return value === mixed ? undefined : value
}

function evaluateTruth(expression: Expression, scope: Scope): Truth {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'parameter':
      return parameterValue(expression.name, scope)
    case 'path':
      return valueAt(scope.document, expression.steps)
    case 'array':
      return expression.items.map((item) => evaluate(item, scope)).filter((value) => value !== undefined)
    case 'object':
      return buildObject(expression.entries, scope)
    case 'not':
      return not(evaluateTruth(expression.operand, scope))
    case 'and':
      return and(evaluateTruth(expression.left, scope), () => evaluateTruth(expression.right, scope))
    case 'or':
      return or(evaluateTruth(expression.left, scope), () => evaluateTruth(expression.right, scope))
    case 'compare':
      return compare(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope))
    case 'in':
      return isIn(evaluate(expression.value, scope), expression.options, scope)
    case 'call':
      return call(
        expression.name,
        expression.arguments.map((argument) => evaluate(argument, scope)),
      )
  }
}

/** An object of the entries that have a value. */
export function buildObject(entries: readonly (readonly [string, Expression])[], scope: Scope): Json {
  const made: [string, Json][] = []
  for (const [name, value] of entries) {
    const evaluated = evaluate(value, scope)
    if (evaluated !== undefined) made.push([name, evaluated])
  }
  return Object.fromEntries(made)
}

/** The value at a path, undefined where the path leaves the document. */
export function valueAt(document: Json, steps: readonly (string | number)[]): Value {
  let value: Value = document
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value) !== (typeof step === 'number') || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string | number, Json>)[step]
  }
  return value
}

/** Cosmos DB's order over types, then within one: undefined, null, false, true, numbers, strings. */
export function comparePrimitives(left: Value, right: Value): number {
  const byType = typeRank(left) - typeRank(right)
  if (byType !== 0 || left === right) return byType
  return (left as number) < (right as number) ? -1 : 1
}

function typeRank(value: Value): number {
  if (value === undefined) return 0
  if (value === null) return 1
  return { boolean: 2, number: 4, string: 5, object: 7 }[typeof value as 'boolean' | 'number' | 'string' | 'object']
}

function parameterValue(name: string, { parameters }: Scope): Value {
  if (!parameters.has(name)) throw new QueryError(`The parameter '${name}' is used but not provided.`)
  return parameters.get(name)
}

function not(value: Truth): Value {
  if (value === mixed) {
    throw new QueryError("'!=' and NOT over an equality of two types are not emulated: compare values of one type.")
  }
  return typeof value === 'boolean' ? !value : undefined
}

function and(left: Truth, right: () => Truth): Truth {
  if (left === false) return false
  const other = right()
  if (other === false) return false
  if (left === true && other === true) return true
  return left === mixed || other === mixed ? mixed : undefined
}

function or(left: Truth, right: () => Truth): Truth {
  if (left === true) return true
  const other = right()
  if (other === true) return true
  if (left === false && other === false) return false
  return left === mixed || other === mixed ? mixed : undefined
}

function compare(operator: Comparison, left: Value, right: Value): Truth {
  if (left === undefined || right === undefined) return undefined
  if (operator === '=') return equal(left, right)
  if (operator === '!=') return isComposite(left) && isComposite(right) ? undefined : not(equal(left, right))
  if (left === null && right === null) throw new QueryError('Null is emulated with = and IS_NULL only.')
  if (typeof left !== typeof right || typeof left === 'object') return undefined
  const order = comparePrimitives(left, right)
  if (operator === '<') return order < 0
  if (operator === '<=') return order <= 0
  return operator === '>' ? order > 0 : order >= 0
}

function equal(left: Json, right: Json): boolean | typeof mixed {
  return jsonType(left) === jsonType(right) ? deepEqual(left, right) : mixed
}

function isComposite(value: Json): boolean {
  return typeof value === 'object' && value !== null
}

function jsonType(value: Json): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function deepEqual(left: Json, right: Json): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (jsonType(left) !== jsonType(right)) return false
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  return names.every((name) => {
    if (!Object.hasOwn(right, name)) return false
    return deepEqual((left as Record<string, Json>)[name] as Json, (right as Record<string, Json>)[name] as Json)
  })
}

function isIn(value: Value, options: readonly Expression[], scope: Scope): Truth {
  let result: Truth = false
  for (const option of options) result = or(result, () => compare('=', value, evaluate(option, scope)))
  return result
}

function call(name: FunctionName, [first, second]: readonly Value[]): Value {
  switch (name) {
    case 'IS_DEFINED':
      return first !== undefined
    case 'IS_NULL':
      return first === null
    case 'STARTSWITH':
      return typeof first === 'string' && typeof second === 'string' ? first.startsWith(second) : undefined
    case 'ARRAY_LENGTH':
      return Array.isArray(first) ? first.length : undefined
    case 'ARRAY_CONTAINS':
      if (!Array.isArray(first) || second === undefined) return undefined
      return first.some((item) => deepEqual(item, second))
  }
}
