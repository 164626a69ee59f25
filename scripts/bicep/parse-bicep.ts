import { readTokens, type Token } from './tokens.ts'

/** An expression, as far as a check of names and properties needs it. */
export type Expression =
  | { readonly kind: 'object'; readonly entries: readonly { readonly key: string; readonly value: Expression }[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'string'; readonly text: string; readonly parts: readonly Expression[] }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'member'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expression; readonly index: Expression }
  | { readonly kind: 'call'; readonly of: Expression; readonly args: readonly Expression[] }
  | { readonly kind: 'operation'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly condition: Expression; readonly then: Expression; readonly else: Expression }
  | { readonly kind: 'loop'; readonly names: readonly string[]; readonly over: Expression; readonly body: Expression }
  | { readonly kind: 'condition'; readonly condition: Expression; readonly body: Expression }

/** One declaration of a file. */
export type Statement =
  | { readonly kind: 'targetScope'; readonly value: Expression; readonly line: number }
  | { readonly kind: 'param'; readonly name: string; readonly value: Expression | undefined; readonly line: number }
  | { readonly kind: 'var'; readonly name: string; readonly value: Expression; readonly line: number }
  | { readonly kind: 'output'; readonly name: string; readonly value: Expression; readonly line: number }
  | {
      readonly kind: 'resource' | 'module'
      readonly name: string
      /** `Microsoft.Web/sites@2024-04-01`, or a module's path. */
      readonly target: string
      readonly existing: boolean
      readonly value: Expression
      readonly line: number
    }

/**
 * Parses the plain part of Bicep that infra/ keeps to. No Bicep compiler can be had from a package registry: this is enough
 * to check names, modules and properties, and no more. Throws SyntaxError with the line.
 */
export function parseBicep(source: string): readonly Statement[] {
  const reader = readerOf(readTokens(source))
  const statements: Statement[] = []
  while (reader.peek().kind !== 'end') {
    while (reader.take('@')) parsePostfix(reader)
    statements.push(parseStatement(reader))
  }
  return statements
}

interface Reader {
  peek(): Token
  next(): Token
  /** Takes the token if it has this text and is no string. */
  take(text: string): boolean
  need(text: string): void
}

function readerOf(tokens: readonly Token[]): Reader {
  let at = 0
  const last: Token = { kind: 'end', text: '', parts: [], line: 0 }
  const peek = (): Token => tokens[at] ?? tokens.at(-1) ?? last
  const take = (text: string): boolean => {
    if (peek().kind === 'string' || peek().text !== text) return false
    at += 1
    return true
  }
  return {
    peek,
    take,
    next() {
      const token = peek()
      at += 1
      return token
    },
    need(text) {
      const { line, text: found } = peek()
      if (!take(text)) throw new SyntaxError(`line ${line}: ${found} stands where ${text} should`)
    },
  }
}

function parseStatement(reader: Reader): Statement {
  const { text: kind, line } = reader.next()
  if (kind === 'targetScope') {
    reader.need('=')
    return { kind, value: parseExpression(reader), line }
  }
  const name = reader.next().text
  if (kind === 'param') {
    reader.next()
    return { kind, name, value: reader.take('=') ? parseExpression(reader) : undefined, line }
  }
  if (kind === 'var') {
    reader.need('=')
    return { kind, name, value: parseExpression(reader), line }
  }
  if (kind === 'output') {
    reader.next()
    reader.need('=')
    return { kind, name, value: parseExpression(reader), line }
  }
  if (kind !== 'resource' && kind !== 'module') throw new SyntaxError(`line ${line}: ${kind} is no declaration`)
  const target = reader.next().text
  const existing = reader.take('existing')
  reader.need('=')
  return { kind, name, target, existing, value: parseBody(reader), line }
}

/** `{…}`, `if (…) {…}`, or `[for … : …]`. */
function parseBody(reader: Reader): Expression {
  if (!reader.take('if')) return parseExpression(reader)
  reader.need('(')
  const condition = parseExpression(reader)
  reader.need(')')
  return { kind: 'condition', condition, body: parseExpression(reader) }
}

const OPERATORS = ['??', '==', '!=', '>=', '<=', '&&', '||', '<', '>', '+', '-', '*', '/', '%']

function parseExpression(reader: Reader): Expression {
  const first = parseOperation(reader)
  if (!reader.take('?')) return first
  const then = parseExpression(reader)
  reader.need(':')
  return { kind: 'choice', condition: first, then, else: parseExpression(reader) }
}

/** Which operator binds stronger does not matter for names. */
function parseOperation(reader: Reader): Expression {
  const parts = [parsePostfix(reader)]
  while (OPERATORS.some((operator) => reader.take(operator))) parts.push(parsePostfix(reader))
  const [only] = parts
  return parts.length === 1 && only ? only : { kind: 'operation', parts }
}

function parsePostfix(reader: Reader): Expression {
  let value = parsePrimary(reader)
  for (;;) {
    if (reader.take('.') || reader.take('.?')) value = { kind: 'member', of: value, name: reader.next().text }
    else if (reader.take('(')) value = { kind: 'call', of: value, args: parseList(reader, ')') }
    else if (value.kind !== 'array' && value.kind !== 'string' && value.kind !== 'object' && reader.take('[')) {
      value = { kind: 'index', of: value, index: parseExpression(reader) }
      reader.need(']')
    } else return value
  }
}

function parsePrimary(reader: Reader): Expression {
  if (reader.take('!') || reader.take('-')) return parsePostfix(reader)
  if (reader.take('(')) {
    const inner = parseExpression(reader)
    reader.need(')')
    return inner
  }
  if (reader.take('{')) return parseObject(reader)
  if (reader.take('[')) {
    return reader.take('for') ? parseLoop(reader) : { kind: 'array', items: parseList(reader, ']') }
  }
  const { kind, text, parts, line } = reader.next()
  if (kind === 'string') return { kind: 'string', text, parts: parts.map(parsePart) }
  if (kind === 'number' || ['true', 'false', 'null'].includes(text)) return { kind: 'literal', text }
  if (kind === 'word') return { kind: 'name', name: text }
  throw new SyntaxError(`line ${line}: ${text} begins no expression`)
}

function parsePart(source: string): Expression {
  return parseExpression(readerOf(readTokens(source)))
}

function parseObject(reader: Reader): Expression {
  const entries: { key: string; value: Expression }[] = []
  while (!reader.take('}')) {
    const key = reader.next().text
    reader.need(':')
    entries.push({ key, value: parseBody(reader) })
    reader.take(',')
  }
  return { kind: 'object', entries }
}

function parseList(reader: Reader, end: string): readonly Expression[] {
  const items: Expression[] = []
  while (!reader.take(end)) {
    items.push(parseExpression(reader))
    reader.take(',')
  }
  return items
}

/** What follows `[for`: `x in y: z]` or `(x, i) in y: z]`. */
function parseLoop(reader: Reader): Expression {
  const names: string[] = []
  if (reader.take('(')) while (!reader.take(')')) names.push(...(reader.take(',') ? [] : [reader.next().text]))
  else names.push(reader.next().text)
  reader.need('in')
  const over = parseExpression(reader)
  reader.need(':')
  const body = parseBody(reader)
  reader.need(']')
  return { kind: 'loop', names, over, body }
}
