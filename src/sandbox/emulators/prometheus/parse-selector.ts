import type { SyntaxNode } from '@lezer/common'
import type { Selector } from './expression.ts'
import { parseDurationMs, parseNumber, parseString } from './literals.ts'
import { labelMatcher } from './matcher.ts'
import { ParseError } from './query-error.ts'
import type { LabelMatcher, MatchOperator } from './series-source.ts'

/** The instant selector at a `VectorSelector` node. */
export function parseSelector(text: string, node: SyntaxNode): Selector {
  const identifier = node.getChild('Identifier')
  const braces = node.getChild('LabelMatchers')
  const named = identifier === null ? [] : [labelMatcher('__name__', '=', text.slice(identifier.from, identifier.to))]
  const listed = braces?.getChildren('UnquotedLabelMatcher').map((matcher) => matcherAt(text, matcher)) ?? []
  const quoted = braces?.getChild('QuotedLabelMatcher') ?? braces?.getChild('QuotedLabelName')
  if (quoted) throw new ParseError(text, quoted.from, 'quoted label names are not known to this emulator')
  const matchers = [...named, ...listed]
  refuseTwoNames(text, node, matchers)
  if (matchers.every((matcher) => matcher.passes(''))) {
    throw new ParseError(text, node.from, 'vector selector must contain at least one non-empty matcher')
  }
  return { kind: 'selector', matchers, offsetMs: 0 }
}

function refuseTwoNames(text: string, node: SyntaxNode, matchers: readonly LabelMatcher[]): void {
  const [first, second] = matchers.filter((matcher) => matcher.label === '__name__')
  if (node.getChild('Identifier') === null || first === undefined || second === undefined) return
  const reason = `metric name must not be set twice: "${first.value}" or "${second.value}"`
  throw new ParseError(text, node.from, reason)
}

function matcherAt(text: string, node: SyntaxNode): LabelMatcher {
  const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((name) => node.getChild(name))
  if (!label || !operator || !value) throw new ParseError(text, node.to, 'unexpected end of input inside braces')
  const name = text.slice(label.from, label.to)
  const sign = text.slice(operator.from, operator.to) as MatchOperator
  const wanted = parseStringAt(text, value)
  try {
    return labelMatcher(name, sign, wanted)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ParseError(text, node.from, error.message)
  }
}

/** The meaning of the string literal at a node. */
export function parseStringAt(text: string, node: SyntaxNode): string {
  const value = parseString(text.slice(node.from, node.to))
  if (value === undefined) throw new ParseError(text, node.from, 'unterminated quoted string')
  return value
}

/** Milliseconds of the duration at a node: `5m`, `-5m`, or (since Prometheus 3) a number of seconds. */
export function parseDurationAt(text: string, node: SyntaxNode): number {
  const literal = text.slice(node.from, node.to).replaceAll(/\s/g, '')
  const sign = literal.startsWith('-') ? -1 : 1
  const plain = literal.replace(/^[-+]/, '')
  const seconds = parseNumber(plain)
  const ms = parseDurationMs(plain) ?? (seconds === undefined ? undefined : Math.round(seconds * 1000))
  if (ms === undefined || !Number.isFinite(ms)) {
    throw new ParseError(text, node.from, `bad duration syntax: "${literal}"`)
  }
  return sign * ms
}
