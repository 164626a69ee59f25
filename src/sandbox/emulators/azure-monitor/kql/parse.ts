import { KqlError, type Token, tokensOf } from './tokens.ts'

/** The part of KQL that the emulator knows: a table, and where, extend, project, summarize, count and take over it. */
export interface Query {
  readonly table: string
  readonly steps: readonly Step[]
}

export type Step =
  | { readonly kind: 'where'; readonly condition: Expression }
  | { readonly kind: 'count' }
  | { readonly kind: 'take'; readonly rows: number }
  | { readonly kind: 'project'; readonly columns: readonly Named[] }
  | { readonly kind: 'extend'; readonly columns: readonly Named[] }
  | { readonly kind: 'summarize'; readonly columns: readonly Named[]; readonly by: readonly Named[] }

export interface Named {
  readonly name: string
  readonly expression: Expression
}

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | Date }
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'property'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly Expression[] }
  | { readonly kind: 'in'; readonly operand: Expression; readonly values: readonly Expression[] }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>=']

/** Parses a query; throws KqlError for everything else, also for KQL that only the real service knows. */
export function parseKql(text: string): Query {
  const tokens = new Tokens(tokensOf(text))
  const table = tokens.name()
  const steps: Step[] = []
  while (!tokens.done()) {
    tokens.sign('|')
    steps.push(stepOf(tokens))
  }
  return { table, steps }
}

class Tokens {
  private readonly all: readonly Token[]
  private at = 0

  constructor(all: readonly Token[]) {
    this.all = all
  }

  done(): boolean {
    return this.at >= this.all.length
  }

  peek(): Token | undefined {
    return this.all[this.at]
  }

  next(): Token {
    const token = this.all[this.at]
    if (!token) throw new KqlError('SyntaxError', 'The query ends too early')
    this.at += 1
    return token
  }

  /** Takes the token if it is this one. */
  take(kind: 'name' | 'sign', text: string): boolean {
    const token = this.peek()
    if (token?.kind !== kind || token.text !== text) return false
    this.at += 1
    return true
  }

  sign(text: string): void {
    if (!this.take('sign', text)) throw this.unexpected(`'${text}'`)
  }

  name(): string {
    if (this.peek()?.kind !== 'name') throw this.unexpected('a name')
    return this.next().text
  }

  unexpected(wanted: string): KqlError {
    return new KqlError('SyntaxError', `Expected ${wanted}, found '${this.peek()?.text ?? 'the end'}'`)
  }
}

function stepOf(tokens: Tokens): Step {
  const kind = tokens.name()
  if (kind === 'where') return { kind, condition: either(tokens) }
  if (kind === 'extend' || kind === 'project') return { kind, columns: listOf(tokens, named) }
  if (kind === 'count') return { kind }
  if (kind === 'take') return { kind, rows: wholeNumber(tokens) }
  if (kind !== 'summarize') throw new KqlError('SyntaxError', `Operator '${kind}' is not known to this emulator`)
  const columns = listOf(tokens, named)
  return { kind, columns, by: tokens.take('name', 'by') ? listOf(tokens, named) : [] }
}

function wholeNumber(tokens: Tokens): number {
  if (tokens.peek()?.kind !== 'number') throw tokens.unexpected('a number')
  return Math.trunc(Number(tokens.next().text))
}

function listOf<T>(tokens: Tokens, read: (tokens: Tokens) => T): readonly T[] {
  const found = [read(tokens)]
  while (tokens.take('sign', ',')) found.push(read(tokens))
  return found
}

/** `name = expression`, or a column that keeps its name. */
function named(tokens: Tokens): Named {
  const name = tokens.name()
  if (!tokens.take('sign', '=')) return { name, expression: { kind: 'column', name } }
  return { name, expression: either(tokens) }
}

function either(tokens: Tokens): Expression {
  let left = both(tokens)
  while (tokens.take('name', 'or')) left = { kind: 'binary', operator: 'or', left, right: both(tokens) }
  return left
}

function both(tokens: Tokens): Expression {
  let left = comparison(tokens)
  while (tokens.take('name', 'and')) left = { kind: 'binary', operator: 'and', left, right: comparison(tokens) }
  return left
}

function comparison(tokens: Tokens): Expression {
  const left = primary(tokens)
  if (tokens.take('name', 'in')) {
    tokens.sign('(')
    const values = listOf(tokens, primary)
    tokens.sign(')')
    return { kind: 'in', operand: left, values }
  }
  const operator = COMPARISONS.find((sign) => tokens.take('sign', sign))
  return operator === undefined ? left : { kind: 'binary', operator, left, right: primary(tokens) }
}

function primary(tokens: Tokens): Expression {
  if (tokens.take('sign', '(')) {
    const inner = either(tokens)
    tokens.sign(')')
    return inner
  }
  const token = tokens.next()
  if (token.kind === 'string') return { kind: 'literal', value: token.text }
  if (token.kind === 'number') return { kind: 'literal', value: Number(token.text) }
  if (token.kind === 'datetime') return { kind: 'literal', value: dateOf(token.text) }
  if (token.kind !== 'name') throw new KqlError('SyntaxError', `Unexpected '${token.text}'`)
  if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' }
  if (tokens.take('sign', '(')) return callOf(tokens, token.text)
  return propertiesOf(tokens, { kind: 'column', name: token.text })
}

function callOf(tokens: Tokens, name: string): Expression {
  if (tokens.take('sign', ')')) return { kind: 'call', name, operands: [] }
  const operands = listOf(tokens, either)
  tokens.sign(')')
  return { kind: 'call', name, operands }
}

function propertiesOf(tokens: Tokens, of: Expression): Expression {
  if (!tokens.take('sign', '[')) return of
  const name = tokens.next()
  if (name.kind !== 'string') throw new KqlError('SyntaxError', 'Only names in quotes are known as properties')
  tokens.sign(']')
  return propertiesOf(tokens, { kind: 'property', of, name: name.text })
}

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new KqlError('SyntaxError', `'${text}' is no datetime`)
  return date
}
