import { QueryError } from './syntax.ts'

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'parameter' | 'symbol' | 'end'
  /** As written; for a string its value. */
  readonly text: string
  readonly start: number
  readonly end: number
}

const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /(?:\s+|--[^\n]*)/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['string', /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y],
  ['parameter', /@[A-Za-z0-9_]+/y],
  ['symbol', /!=|<>|<=|>=|\|\||[-=<>*(),.[\]{}:+/%?&|^~]/y],
]

/** The query's tokens, closed by one of kind `end`; throws QueryError at a character that starts none. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  let start = 0
  while (start < text.length) {
    const [kind, matched] = next(text, start)
    const end = start + matched.length
    if (kind === 'string') tokens.push({ kind, text: unquote(matched), start, end })
    else if (kind !== 'space') tokens.push({ kind, text: matched, start, end })
    start = end
  }
  tokens.push({ kind: 'end', text: '', start, end: start })
  return tokens
}

function next(text: string, start: number): readonly [Token['kind'] | 'space', string] {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = start
    const match = pattern.exec(text)
    if (match) return [kind, match[0]]
  }
  throw new QueryError(`Syntax error, incorrect syntax near '${text.slice(start, start + 20)}'.`)
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(u[0-9A-Fa-f]{4}|[\s\S])/g, (_, code: string) => {
    if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    const escaped = escapes[code]
    if (escaped !== undefined) return escaped
    if ('"\'\\/'.includes(code)) return code
    throw new QueryError(`Syntax error, invalid escape sequence '\\${code}' in a string literal.`)
  })
}
