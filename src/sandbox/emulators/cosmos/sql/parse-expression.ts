import type { Cursor } from './cursor.ts'
import { type Comparison, type Expression, type FunctionName, functions, QueryError } from './syntax.ts'

const comparisons: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

/** An expression, from the loosest operator (OR) down; `alias` is the name FROM gives the document. */
export function parseExpression(cursor: Cursor, alias: string): Expression {
  let left = parseAnd(cursor, alias)
  while (cursor.tryWord('OR')) left = { kind: 'or', left, right: parseAnd(cursor, alias) }
  return left
}

function parseAnd(cursor: Cursor, alias: string): Expression {
  let left = parseNot(cursor, alias)
  while (cursor.tryWord('AND')) left = { kind: 'and', left, right: parseNot(cursor, alias) }
  return left
}

function parseNot(cursor: Cursor, alias: string): Expression {
  if (cursor.tryWord('NOT')) return { kind: 'not', operand: parseNot(cursor, alias) }
  return parseComparison(cursor, alias)
}

function parseComparison(cursor: Cursor, alias: string): Expression {
  const left = parseOperand(cursor, alias)
  if (cursor.tryWord('NOT')) {
    if (!cursor.isWord('IN')) cursor.fail()
    return { kind: 'not', operand: parseIn(cursor, alias, left) }
  }
  if (cursor.isWord('IN')) return parseIn(cursor, alias, left)
  const operator = cursor.peek().kind === 'symbol' ? comparisons[cursor.peek().text] : undefined
  if (!operator) return left
  cursor.take()
  const right = parseOperand(cursor, alias)
  const next = cursor.peek()
  if (next.kind === 'symbol' && comparisons[next.text]) cursor.fail()
  return { kind: 'compare', operator, left, right }
}

function parseIn(cursor: Cursor, alias: string, value: Expression): Expression {
  cursor.needWord('IN')
  cursor.needSymbol('(')
  const options = parseList(cursor, alias, ')')
  if (options.length === 0) cursor.fail()
  return { kind: 'in', value, options }
}

function parseOperand(cursor: Cursor, alias: string): Expression {
  const { kind, text } = cursor.peek()
  if (kind === 'number') return { kind: 'literal', value: Number(cursor.take().text) }
  if (kind === 'string') return { kind: 'literal', value: cursor.take().text }
  if (kind === 'parameter') return { kind: 'parameter', name: cursor.take().text }
  if (kind === 'word') return parseWord(cursor, alias)
  if (cursor.trySymbol('-')) return negative(cursor)
  if (cursor.trySymbol('[')) return { kind: 'array', items: parseList(cursor, alias, ']') }
  if (cursor.trySymbol('{')) return parseObject(cursor, alias)
  if (kind !== 'symbol' || text !== '(') cursor.fail()
  cursor.take()
  if (cursor.isWord('SELECT')) throw new QueryError('Subqueries are not emulated.')
  const inner = parseExpression(cursor, alias)
  cursor.needSymbol(')')
  return inner
}

function negative(cursor: Cursor): Expression {
  if (cursor.peek().kind !== 'number') cursor.fail()
  return { kind: 'literal', value: -Number(cursor.take().text) }
}

function parseWord(cursor: Cursor, alias: string): Expression {
  if (cursor.tryWord('TRUE')) return { kind: 'literal', value: true }
  if (cursor.tryWord('FALSE')) return { kind: 'literal', value: false }
  if (cursor.tryWord('NULL')) return { kind: 'literal', value: null }
  if (cursor.tryWord('UNDEFINED')) return { kind: 'literal', value: undefined }
  const name = cursor.needName()
  if (cursor.trySymbol('(')) return parseCall(cursor, alias, name)
  if (name !== alias) throw new QueryError(`Identifier '${name}' could not be resolved.`)
  return { kind: 'path', steps: parseSteps(cursor) }
}

function parseCall(cursor: Cursor, alias: string, written: string): Expression {
  const name = written.toUpperCase()
  if (!Object.hasOwn(functions, name)) throw new QueryError(`The function '${name}' is not emulated.`)
  const call = name as FunctionName
  const given = parseList(cursor, alias, ')')
  if (given.length !== functions[call]) {
    throw new QueryError(`The function '${name}' is emulated with ${functions[call]} argument(s), not ${given.length}.`)
  }
  return { kind: 'call', name: call, arguments: given }
}

function parseSteps(cursor: Cursor): (string | number)[] {
  const steps: (string | number)[] = []
  for (;;) {
    if (cursor.trySymbol('.')) {
      steps.push(cursor.needName())
    } else if (cursor.trySymbol('[')) {
      const { kind, text } = cursor.take()
      if (kind !== 'string' && !(kind === 'number' && /^\d+$/.test(text))) {
        throw new QueryError('Between brackets only a string or a whole number is emulated.')
      }
      steps.push(kind === 'string' ? text : Number(text))
      cursor.needSymbol(']')
    } else return steps
  }
}

function parseList(cursor: Cursor, alias: string, close: string): Expression[] {
  if (cursor.trySymbol(close)) return []
  const items = [parseExpression(cursor, alias)]
  while (cursor.trySymbol(',')) items.push(parseExpression(cursor, alias))
  cursor.needSymbol(close)
  return items
}

function parseObject(cursor: Cursor, alias: string): Expression {
  const entries: (readonly [string, Expression])[] = []
  if (cursor.trySymbol('}')) return { kind: 'object', entries }
  do {
    const name = cursor.peek().kind === 'string' ? cursor.take().text : cursor.needName()
    cursor.needSymbol(':')
    entries.push([name, parseExpression(cursor, alias)])
  } while (cursor.trySymbol(','))
  cursor.needSymbol('}')
  return { kind: 'object', entries }
}
