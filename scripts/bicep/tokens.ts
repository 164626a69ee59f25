/** One token of Bicep. A string carries its literal text and the sources of its `${…}` parts. */
export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'sign' | 'end'
  readonly text: string
  /** Sources of interpolated expressions, in order; only of strings. */
  readonly parts: readonly string[]
  readonly line: number
}

const SIGNS = ['??', '.?', '==', '!=', '>=', '<=', '&&', '||', '=>'] as const

/** The tokens of a Bicep file, without comments and line ends. Throws SyntaxError on what is none. */
export function readTokens(source: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  let line = 1
  const push = (kind: Token['kind'], text: string, length: number, parts: readonly string[] = []): void => {
    tokens.push({ kind, text, parts, line })
    at += length
  }
  while (at < source.length) {
    const rest = source.slice(at)
    const blank = /^(\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest)?.[0]
    if (blank !== undefined) {
      line += blank.split('\n').length - 1
      at += blank.length
      continue
    }
    const word = /^[A-Za-z_][A-Za-z0-9_]*/.exec(rest)?.[0]
    const number = /^\d+/.exec(rest)?.[0]
    const sign = SIGNS.find((known) => rest.startsWith(known)) ?? /^[@{}[\]():,.=?*+\-/%!<>]/.exec(rest)?.[0]
    if (word !== undefined) push('word', word, word.length)
    else if (number !== undefined) push('number', number, number.length)
    else if (rest.startsWith("'")) {
      const { text, parts, length } = readString(rest, line)
      push('string', text, length, parts)
    } else if (sign !== undefined) push('sign', sign, sign.length)
    else throw new SyntaxError(`line ${line}: ${JSON.stringify(rest.slice(0, 20))} is no Bicep`)
  }
  tokens.push({ kind: 'end', text: '', parts: [], line })
  return tokens
}

/** `'a${b}c'`: interpolated parts are left out of the text, which then has `${}` in their place. */
function readString(rest: string, line: number): { text: string; parts: string[]; length: number } {
  const parts: string[] = []
  let text = ''
  let at = 1
  while (rest[at] !== "'") {
    if (at >= rest.length || rest[at] === '\n') throw new SyntaxError(`line ${line}: a string does not end`)
    if (rest[at] === '\\') {
      text += rest[at + 1] ?? ''
      at += 2
    } else if (rest.startsWith('${', at)) {
      const end = closing(rest, at + 2, line)
      parts.push(rest.slice(at + 2, end))
      text += '${}'
      at = end + 1
    } else {
      text += rest[at] ?? ''
      at += 1
    }
  }
  return { text, parts, length: at + 1 }
}

/** Where the brace that ends an interpolation is. */
function closing(rest: string, from: number, line: number): number {
  let depth = 0
  for (let at = from; at < rest.length; at += 1) {
    if (rest[at] === '{') depth += 1
    if (rest[at] === '}' && depth === 0) return at
    if (rest[at] === '}') depth -= 1
  }
  throw new SyntaxError(`line ${line}: an interpolation does not end`)
}
