import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'
import {
  type BinaryOperator,
  type Expression,
  type Grouping,
  isComparison,
  type Selector,
  type ValueType,
  valueType,
} from './expression.ts'
import { parseNumber } from './literals.ts'
import { parseDurationAt, parseSelector, parseStringAt } from './parse-selector.ts'
import { ParseError } from './query-error.ts'
import { refuseSyntaxErrors } from './syntax-errors.ts'

/**
 * Parses and checks a PromQL expression. Throws ParseError with Prometheus' words, also for what Prometheus knows and this
 * emulator does not (most functions, aggregations other than sum, `on`/`ignoring`, `@`, subqueries).
 */
export function parseExpression(text: string): Expression {
  const tree = parser.parse(text)
  refuseSyntaxErrors(text, tree)
  const top = tree.topNode.firstChild
  if (top === null) throw new ParseError(text, 0, 'no expression found in input')
  return expressionAt(text, top)
}

function expressionAt(text: string, node: SyntaxNode): Expression {
  switch (node.name) {
    case 'NumberDurationLiteral':
      return { kind: 'number', value: numberAt(text, node) }
    case 'StringLiteral':
      return { kind: 'string', value: parseStringAt(text, node) }
    case 'ParenExpr':
      return expressionAt(text, childAt(text, node, 0))
    case 'VectorSelector':
      return parseSelector(text, node)
    case 'MatrixSelector':
      return rangeAt(text, node)
    case 'OffsetExpr':
      return offsetAt(text, node)
    case 'UnaryExpr':
      return unaryAt(text, node)
    case 'BinaryExpr':
      return binaryAt(text, node)
    case 'FunctionCall':
      return callAt(text, node)
    case 'AggregateExpr':
      return aggregateAt(text, node)
    default:
      throw new ParseError(text, node.from, `${node.name} is not known to this emulator`)
  }
}

/** The n-th child that is no comment. */
function childAt(text: string, node: SyntaxNode, index: number): SyntaxNode {
  const child = childrenOf(node)[index]
  if (child === undefined) throw new ParseError(text, node.to, 'unexpected end of input')
  return child
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child)
  }
  return children
}

function numberAt(text: string, node: SyntaxNode): number {
  const literal = text.slice(node.from, node.to)
  const value = parseNumber(literal)
  if (value === undefined) throw new ParseError(text, node.from, `bad number or duration syntax: "${literal}"`)
  return value
}

function rangeAt(text: string, node: SyntaxNode): Selector {
  const inner = childAt(text, node, 0)
  if (inner.name !== 'VectorSelector') throw new ParseError(text, inner.to, 'ranges only allowed for vector selectors')
  const duration = childAt(text, node, 1)
  const rangeMs = parseDurationAt(text, duration)
  if (rangeMs <= 0) throw new ParseError(text, duration.from, 'duration must be greater than 0')
  return { ...parseSelector(text, inner), rangeMs }
}

function offsetAt(text: string, node: SyntaxNode): Selector {
  const inner = childAt(text, node, 0)
  if (inner.name === 'OffsetExpr') throw new ParseError(text, node.from, 'offset may not be set multiple times')
  const operand =
    inner.name === 'VectorSelector' || inner.name === 'MatrixSelector' ? expressionAt(text, inner) : undefined
  if (operand?.kind !== 'selector') {
    const allowed = 'an instant vector selector or range vector selector or a subquery'
    throw new ParseError(text, node.from, `offset modifier must be preceded by ${allowed}`)
  }
  return { ...operand, offsetMs: parseDurationAt(text, childAt(text, node, 2)) }
}

function unaryAt(text: string, node: SyntaxNode): Expression {
  const operand = expressionAt(text, childAt(text, node, 1))
  const type = valueType(operand)
  if (type !== 'scalar' && type !== 'instant vector') {
    const rule = 'unary expression only allowed on expressions of type scalar or instant vector'
    throw new ParseError(text, node.from, `${rule}, got "${type}"`)
  }
  return text[node.from] === '-' ? { kind: 'negation', operand } : operand
}

function binaryAt(text: string, node: SyntaxNode): Expression {
  const children = childrenOf(node)
  const first = childAt(text, node, 0)
  const operator = childAt(text, node, 1)
  const last = childAt(text, node, children.length - 1)
  const between = children.slice(2, -1)
  const foreign = between.find((child) => child.name !== 'BoolModifier')
  if (foreign) throw new ParseError(text, foreign.from, `${foreign.name} is not known to this emulator`)
  const name = text.slice(operator.from, operator.to).toLowerCase()
  if (name === 'and' || name === 'unless' || name === 'atan2' || name === '</' || name === '>/') {
    throw new ParseError(text, operator.from, `operator "${name}" is not known to this emulator`)
  }
  const bool = between.length > 0
  const left = expressionAt(text, first)
  const right = expressionAt(text, last)
  const binary = { kind: 'binary', operator: name as BinaryOperator, bool, left, right } as const
  checkBinary(text, { node, operator, first, last }, binary)
  // The grammar takes `-2` as one literal, but a power binds tighter than a sign.
  const signed = name === '^' && left.kind === 'number' && text[first.from] === '-'
  if (!signed) return binary
  return { kind: 'negation', operand: { ...binary, left: { kind: 'number', value: -left.value } } }
}

interface BinaryNodes {
  readonly node: SyntaxNode
  readonly operator: SyntaxNode
  readonly first: SyntaxNode
  readonly last: SyntaxNode
}

function checkBinary(text: string, nodes: BinaryNodes, binary: Extract<Expression, { kind: 'binary' }>): void {
  const { operator, bool } = binary
  const [left, right] = [valueType(binary.left), valueType(binary.right)]
  if (bool && !isComparison(operator)) {
    throw new ParseError(text, nodes.operator.from, 'bool modifier can only be used on comparison operators')
  }
  if (isComparison(operator) && !bool && left === 'scalar' && right === 'scalar') {
    throw new ParseError(text, nodes.operator.from, 'comparisons between scalars must use BOOL modifier')
  }
  const sides = [
    [left, nodes.first],
    [right, nodes.last],
  ] as const
  for (const [type, side] of sides) {
    if (type !== 'scalar' && type !== 'instant vector') {
      throw new ParseError(text, side.from, 'binary expression must contain only scalar and instant vector types')
    }
  }
  if (operator === 'or' && (left === 'scalar' || right === 'scalar')) {
    throw new ParseError(text, nodes.node.from, 'set operator "or" not allowed in binary scalar expression')
  }
}

/** The functions that are known, with the types of what they take. */
const FUNCTIONS: Readonly<Record<string, readonly ValueType[]>> = {
  rate: ['range vector'],
  increase: ['range vector'],
  vector: ['scalar'],
  time: [],
  histogram_quantile: ['scalar', 'instant vector'],
}

function callAt(text: string, node: SyntaxNode): Expression {
  const identifier = childAt(text, node, 0)
  const name = text.slice(identifier.from, identifier.to)
  const args = childrenOf(childAt(text, node, 1))
  const wanted = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (wanted === undefined) throw new ParseError(text, node.from, `unknown function with name "${name}"`)
  if (args.length !== wanted.length) {
    throw new ParseError(
      text,
      node.from,
      `expected ${wanted.length} argument(s) in call to "${name}", got ${args.length}`,
    )
  }
  const operands = args.map((argument, index) => {
    const operand = expressionAt(text, argument)
    const type = valueType(operand)
    if (type === wanted[index]) return operand
    const reason = `expected type ${wanted[index]} in call to function "${name}", got ${type}`
    throw new ParseError(text, argument.from, reason)
  })
  const [first, second] = operands
  if (first === undefined) return { kind: 'time' }
  if (second !== undefined) return { kind: 'quantile', rank: first, buckets: second }
  return first.kind === 'selector'
    ? { kind: 'rate', perSecond: name === 'rate', range: first }
    : { kind: 'vector', scalar: first }
}

function aggregateAt(text: string, node: SyntaxNode): Expression {
  const operator = childAt(text, node, 0)
  const name = text.slice(operator.from, operator.to).toLowerCase()
  if (name !== 'sum') throw new ParseError(text, node.from, `unknown function with name "${name}"`)
  const body = node.getChild('FunctionCallBody')
  const args = body === null ? [] : childrenOf(body)
  const argument = args[0]
  if (argument === undefined) throw new ParseError(text, node.from, 'no arguments for aggregate expression provided')
  if (args.length > 1) {
    const reason = `wrong number of arguments for aggregate expression provided, expected 1, got ${args.length}`
    throw new ParseError(text, node.from, reason)
  }
  const operand = expressionAt(text, argument)
  const type = valueType(operand)
  if (type !== 'instant vector') {
    const reason = `expected type instant vector in aggregation expression, got ${type}`
    throw new ParseError(text, argument.from, reason)
  }
  return { kind: 'sum', grouping: groupingAt(text, node.getChild('AggregateModifier')), operand }
}

function groupingAt(text: string, modifier: SyntaxNode | null): Grouping {
  const names = modifier?.getChild('GroupingLabels')
  const labels = names ? childrenOf(names).map((name) => text.slice(name.from, name.to)) : []
  return { mode: modifier?.getChild('Without') ? 'without' : 'by', labels }
}
