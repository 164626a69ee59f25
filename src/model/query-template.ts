/** What stands in a query for the names of the case. */
export const PLACEHOLDERS = ['service', 'version', 'stable', 'cluster', 'namespace', 'window'] as const
export type Placeholder = (typeof PLACEHOLDERS)[number]
export type QueryLanguage = 'promql' | 'kql'

/** What the placeholders stand for; `window` is in milliseconds. */
export type QueryNames = Readonly<Record<Exclude<Placeholder, 'window'>, string>> & { readonly window: number }

/** A query that is cut where names go in. */
export interface QueryTemplate {
  readonly language: QueryLanguage
  readonly parts: readonly Part[]
}

type Part =
  /** As it stands. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'window' }
  /** Inside a literal between double or single quotes, of which `quote` is the one; in a regular expression or not. */
  | { readonly kind: 'name'; readonly name: keyof QueryNames; readonly quote: string; readonly regex: boolean }

/** What is wrong with the text of a query, and where: `offset` counts characters from its begin. */
export interface QueryProblem {
  readonly offset: number
  readonly reason: string
}

export type ParsedTemplate =
  | { readonly ok: true; readonly template: QueryTemplate }
  | { readonly ok: false; readonly problem: QueryProblem }

/**
 * Literals and comments, whose insides mean nothing to the language. PromQL: Go's strings and raw strings. KQL: strings
 * with escapes, verbatim ones (`@"…"`, a quote doubled), and those of many lines.
 */
const OPAQUE: Readonly<Record<QueryLanguage, RegExp>> = {
  promql: /#[^\n]*|"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|`[^`]*`/g,
  kql: /\/\/[^\n]*|@"(?:[^"\n]|"")*"|@'(?:[^'\n]|'')*'|"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'|```[\s\S]*?```|~~~[\s\S]*?~~~/g,
}
const LOOSE_QUOTE: Readonly<Record<QueryLanguage, RegExp>> = { promql: /["'`]/, kql: /["']|```|~~~/ }
/** The end of what comes before a literal that is a regular expression. */
const BEFORE_REGEX: Readonly<Record<QueryLanguage, RegExp>> = {
  promql: /[=!]~\s*$/,
  kql: /\bmatches\s+regex\s*$/,
}
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g

/**
 * Cuts a query at its placeholders. They are `{{service}}`, `{{namespace}}`, `{{cluster}}`, `{{version}}` and `{{stable}}`
 * inside of string literals, and `{{window}}`, a length of time, outside of them.
 */
export function parseTemplate(language: QueryLanguage, text: string): ParsedTemplate {
  const parts: Part[] = []
  for (const piece of piecesOf(language, text)) {
    const problem = piece.opaque ? literal(language, piece, text, parts) : code(language, piece, parts)
    if (problem) return { ok: false, problem }
  }
  return { ok: true, template: { language, parts } }
}

interface Piece {
  readonly text: string
  readonly offset: number
  readonly opaque: boolean
}

/** A text without its end, where its literals and comments lie. */
function piecesOf(language: QueryLanguage, text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(OPAQUE[language])) {
    pieces.push({ text: text.slice(end, index), offset: end, opaque: false })
    pieces.push({ text: found, offset: index, opaque: true })
    end = index + found.length
  }
  return [...pieces, { text: text.slice(end), offset: end, opaque: false }]
}

/** What is left of a query when its literals and comments are gone, each as long as it was. */
export function codeOf(language: QueryLanguage, text: string): string {
  return piecesOf(language, text)
    .map((piece) => (piece.opaque ? piece.text.replace(/[^\n]/g, ' ') : piece.text))
    .join('')
}

function code(language: QueryLanguage, { text, offset }: Piece, parts: Part[]): QueryProblem | undefined {
  const loose = text.search(LOOSE_QUOTE[language])
  let end = 0
  for (const { 0: whole, 1: inner = '', index } of text.matchAll(PLACEHOLDER)) {
    if (loose >= 0 && loose < index) break
    const name = inner.trim()
    if (!isPlaceholder(name)) return unknown(whole, offset + index)
    if (name !== 'window') {
      return { offset: offset + index, reason: `${whole} must stand inside of a string in quotes` }
    }
    parts.push({ kind: 'text', text: text.slice(end, index) }, { kind: 'window' })
    end = index + whole.length
  }
  if (loose >= 0) return { offset: offset + loose, reason: 'the string that begins here has no end' }
  parts.push({ kind: 'text', text: text.slice(end) })
  return undefined
}

function literal(language: QueryLanguage, piece: Piece, text: string, parts: Part[]): QueryProblem | undefined {
  const found = [...piece.text.matchAll(PLACEHOLDER)]
  if (found.length === 0) {
    parts.push({ kind: 'text', text: piece.text })
    return undefined
  }
  if (/^(#|\/\/)/.test(piece.text)) return { offset: piece.offset, reason: 'comments can hold no placeholders' }
  const { quote, open, inner } = openLiteral(language, piece.text)
  const regex = BEFORE_REGEX[language].test(text.slice(0, piece.offset))
  parts.push({ kind: 'text', text: quote })
  let end = open
  for (const { 0: whole, 1: held = '', index } of found) {
    const name = held.trim()
    if (!isPlaceholder(name)) return unknown(whole, piece.offset + index)
    if (name === 'window') return { offset: piece.offset + index, reason: `${whole} must stand outside of strings` }
    const before = inner(piece.text.slice(end, index))
    // It would take the first character of the name, be it one that keeps the name in its string.
    if (/(^|[^\\])(\\\\)*\\$/.test(before)) {
      return { offset: piece.offset + index - 1, reason: 'a backslash must not stand before a placeholder' }
    }
    parts.push({ kind: 'text', text: before }, { kind: 'name', name, quote, regex })
    end = index + whole.length
  }
  parts.push({
    kind: 'text',
    text: `${inner(piece.text.slice(end, piece.text.length - closeLength(piece.text)))}${quote}`,
  })
  return undefined
}

/** A literal as one in quotes with escapes, in which every name can be written: raw and verbatim ones become such. */
function openLiteral(language: QueryLanguage, text: string) {
  const [, at = '', delimiter = ''] = /^(@?)(```|~~~|["'`])/.exec(text) ?? []
  const open = at.length + delimiter.length
  if (at !== '') {
    const doubled = delimiter + delimiter
    return { quote: '"', open, inner: (part: string) => escaped(language, part.replaceAll(doubled, delimiter), '"') }
  }
  if (delimiter !== '"' && delimiter !== "'") {
    return { quote: '"', open, inner: (part: string) => escaped(language, part, '"') }
  }
  return { quote: delimiter, open, inner: (part: string) => part }
}

function closeLength(text: string): number {
  return /(```|~~~)$/.test(text) && /^(```|~~~)/.test(text) ? 3 : 1
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name)
}

function unknown(whole: string, offset: number): QueryProblem {
  const known = PLACEHOLDERS.map((name) => `{{${name}}}`).join(', ')
  return { offset, reason: `${whole.slice(0, 60)} is no placeholder; there are ${known}` }
}

/** The placeholders that a template holds. */
export function placeholdersOf({ parts }: QueryTemplate): ReadonlySet<Placeholder> {
  return new Set(parts.flatMap((part) => (part.kind === 'text' ? [] : part.kind === 'window' ? part.kind : part.name)))
}

/** The query with names in it. Nothing in a name ends the string that it stands in, or means anything in its pattern. */
export function renderQuery({ language, parts }: QueryTemplate, names: QueryNames): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text
      if (part.kind === 'window') return windowText(names.window)
      const value = String(names[part.name])
      return escaped(language, part.regex ? literally(value) : value, part.quote)
    })
    .join('')
}

/** `90s`, `1500ms`: a length of time in PromQL and in KQL. */
function windowText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** A text as a pattern of RE2 that matches it alone. */
function literally(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function escaped(language: QueryLanguage, text: string, quote: string): string {
  return language === 'kql' ? escapeKql(text) : escapePromql(text, quote)
}

/** Text between the quotes of a PromQL string: Go's rules, by which the other quote must not be escaped. */
export function escapePromql(text: string, quote = '"'): string {
  const plain = text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
  return plain.replaceAll(quote, `\\${quote}`)
}

/** Text between the quotes of a KQL string: quotes, backslashes and what is no plain character are escaped. */
export function escapeKql(text: string): string {
  return text.replace(/["'\\]|[^\x20-\x7e]/gu, (character) =>
    character === '"' || character === "'" || character === '\\' ? `\\${character}` : escapeUnits(character),
  )
}

function escapeUnits(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('')
}
