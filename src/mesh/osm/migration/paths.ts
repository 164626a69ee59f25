import { isPlainPath } from '../../../model/route-match.ts'

/** Paths as rules of a service name them: whole ones, and beginnings with a "*" at the end. */
export interface SaidPaths {
  /** Undefined: every path. */
  readonly paths: readonly string[] | undefined
  /** Less than the regular expression takes: a "." was read as a dot. */
  readonly narrowed: boolean
}

const MOST_PATHS = 32
/** Longer ones, and groups within more groups, are not read at all. */
const MOST_LENGTH = 1024
const MOST_DEPTH = 16

/** What a regular expression (RE2, for the whole path without its query) says in words of rules; undefined: it has none. */
export function sayPaths(regex: string | undefined): SaidPaths | undefined {
  if (regex === undefined || regex === '') return { paths: undefined, narrowed: false }
  if (regex.length > MOST_LENGTH) return undefined
  // `^$` is the empty path alone, which nobody sends: as an empty text it is read below, and has no words.
  const bare = regex.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  if (bare === '.*' || bare === '/.*') return { paths: undefined, narrowed: false }
  const reader = new Reader(bare)
  const texts = reader.alternatives()
  if (!texts || !reader.isAtEnd) return undefined
  const paths = [...new Set(texts.map(({ text, isOpen }) => (isOpen ? `${text}*` : text)))].sort()
  if (paths.length === 0 || !paths.every(isPathPattern)) return undefined
  return { paths, narrowed: reader.narrowed }
}

/** May a rule hold this? Istio would read braces as a template. */
export function isPathPattern(path: string): boolean {
  return /^\/[^*\s{}]*\*?$/.test(path) && path.length <= 1024 && isPlainPath(path)
}

/**
 * Does a regular expression surely match all that a path pattern of a rule does? `*` at the end is taken only where the
 * expression ends in `.*` for all of its alternatives.
 */
export function isWithin(path: string, regex: string | undefined): boolean {
  if (!isPathPattern(path)) return false
  const source = regex === undefined || regex === '' ? '.*' : regex
  const isOpen = path.endsWith('*')
  if (isOpen && !(/(?<!\\)\.\*\$?$/.test(source) && !source.includes('|'))) return false
  if (!isRe2(source) || !isQuick(source, path.length)) return false
  try {
    return new RegExp(`^(?:${source})$`).test(isOpen ? path.slice(0, -1) : path)
  } catch {
    return false
  }
}

/** Does JavaScript read it as RE2 does? Looking around, named classes and `[^]` are JavaScript's or RE2's alone. */
function isRe2(source: string): boolean {
  if (/\\[A-Za-z0-9]/.test(source.replaceAll(/\\[dDsSwW]/g, ''))) return false
  return !/\(\?(?!:)|\[\^?\]|\[[:[]/.test(source)
}

/** Most ways in which JavaScript may try to fit a regular expression to a path: some milliseconds. */
const MOST_WAYS = 2_000_000

/** Is it tried in little time? A count without end multiplies the ways by the length of the path, a choice doubles them. */
function isQuick(source: string, length: number): boolean {
  if (source.length > MOST_LENGTH || length > MOST_LENGTH || /\)[*+{]/.test(source)) return false
  const times = (pieces: RegExp) => (source.match(pieces) ?? []).length
  return length ** times(/[*+{]/g) * 2 ** times(/[?|]/g) <= MOST_WAYS
}

interface Text {
  readonly text: string
  /** Anything may follow. */
  readonly isOpen: boolean
}

/** Reads the regular expressions that stand for a few paths: text, escapes, groups of alternatives, `.*` at the end. */
class Reader {
  narrowed = false
  private at = 0
  private depth = 0
  private readonly source: string

  constructor(source: string) {
    this.source = source
  }

  get isAtEnd(): boolean {
    return this.at === this.source.length
  }

  /** `a|b`, up to the end or a closing bracket; undefined: something that only a regular expression says. */
  alternatives(): readonly Text[] | undefined {
    const all: Text[] = []
    for (;;) {
      const one = this.sequence()
      if (!one) return undefined
      all.push(...one)
      if (all.length > MOST_PATHS) return undefined
      if (this.source[this.at] !== '|') return all
      this.at += 1
    }
  }

  private sequence(): readonly Text[] | undefined {
    let all: readonly Text[] = [{ text: '', isOpen: false }]
    while (!this.isAtEnd && !/[|)]/.test(this.source[this.at] ?? '')) {
      const next = this.piece()
      if (!next) return undefined
      // What follows after "anything" cannot be said.
      if (all.some(({ isOpen }) => isOpen)) return undefined
      all = all.flatMap(({ text }) => next.map((one) => ({ text: text + one.text, isOpen: one.isOpen })))
      if (all.length > MOST_PATHS) return undefined
    }
    return all
  }

  private piece(): readonly Text[] | undefined {
    const rest = this.source.slice(this.at)
    if (rest.startsWith('.*')) return this.take(2, [{ text: '', isOpen: true }])
    if (rest.startsWith('(')) return this.group()
    const [whole, escaped, plain] = /^(?:\\([^A-Za-z0-9])|([^\\^$*+?()[\]{}|]))/.exec(rest) ?? []
    // In a rule a star is no letter.
    if (whole === undefined || escaped === '*') return undefined
    if (plain === '.') this.narrowed = true
    return this.take(whole.length, [{ text: escaped ?? plain ?? '', isOpen: false }])
  }

  private group(): readonly Text[] | undefined {
    this.at += this.source.startsWith('(?:', this.at) ? 3 : 1
    if (this.source[this.at] === '?') return undefined
    this.depth += 1
    const inner = this.depth > MOST_DEPTH ? undefined : this.alternatives()
    this.depth -= 1
    if (!inner || this.source[this.at] !== ')') return undefined
    this.at += 1
    return this.source[this.at] === '?'
      ? this.take(1, [...inner, { text: '', isOpen: false }])
      : this.unquantified(inner)
  }

  private take(length: number, texts: readonly Text[]): readonly Text[] | undefined {
    this.at += length
    return this.unquantified(texts)
  }

  /** A count after a piece makes it many. */
  private unquantified(texts: readonly Text[]): readonly Text[] | undefined {
    return /[*+?{]/.test(this.source[this.at] ?? '') ? undefined : texts
  }
}
