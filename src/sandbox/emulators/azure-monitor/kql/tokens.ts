/** Why a query is refused, in the class that the service's answer names. */
export class KqlError extends Error {
  override name = 'KqlError'
  readonly code: 'SyntaxError' | 'SemanticError'

  constructor(code: 'SyntaxError' | 'SemanticError', message: string) {
    super(message)
    this.code = code
  }
}

export type Token =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'datetime'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string }

const PATTERNS: readonly (readonly [kind: Token['kind'] | 'space', pattern: RegExp])[] = [
  ['space', /\s+|\/\/[^\n]*/y],
  ['datetime', /datetime\(\s*([-0-9T:.Z]+)\s*\)/y],
  ['name', /[A-Za-z_]\w*/y],
  ['number', /\d+(?:\.\d+)?/y],
  ['string', /"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/y],
  ['sign', /==|!=|<=|>=|[<>=|,()[\]]/y],
]

/** Cuts a query into tokens; throws KqlError for what is no KQL that the emulator knows. */
export function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < query.length) {
    const found = nextToken(query, at)
    if (!found) throw new KqlError('SyntaxError', `Query could not be parsed at '${query.slice(at, at + 10)}' (${at})`)
    if (found.token) tokens.push(found.token)
    at = found.end
  }
  return tokens
}

function nextToken(query: string, at: number): { readonly token?: Token; readonly end: number } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(query)
    if (!match) continue
    const end = at + match[0].length
    if (kind === 'space') return { end }
    if (kind === 'string') return { token: { kind, text: unescaped(match[1] ?? match[2] ?? '') }, end }
    return { token: { kind, text: kind === 'datetime' ? (match[1] ?? '') : match[0] }, end }
  }
  return undefined
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', "'": "'" }

function unescaped(inner: string): string {
  return inner.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (whole, unit: string | undefined, character: string) => {
    if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16))
    const meant = ESCAPES[character]
    if (meant === undefined) throw new KqlError('SyntaxError', `Unknown escape ${whole}`)
    return meant
  })
}
