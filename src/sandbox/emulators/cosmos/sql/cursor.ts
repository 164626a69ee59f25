import { QueryError } from './syntax.ts'
import { type Token, tokenize } from './tokens.ts'

/** Cosmos DB's keywords, which cannot be names: `c.value` must be written `c["value"]`. */
const keywords = new Set(
  `AND ARRAY AS ASC BETWEEN BY CASE CAST CONVERT CROSS DESC DISTINCT ELSE END ESCAPE EXISTS FALSE FOR FROM GROUP HAVING
   IN INNER INSERT INTO IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER OVER RIGHT SELECT SET THEN TOP TRUE UDF
   UNDEFINED UPDATE VALUE WHEN WHERE WITH`.split(/\s+/),
)

/** A place in the tokens of one query. */
export class Cursor {
  readonly source: string
  private readonly tokens: readonly Token[]
  private position = 0

  /** Throws QueryError when the text does not split into tokens. */
  constructor(source: string) {
    this.source = source
    this.tokens = tokenize(source)
  }

  peek(): Token {
    return this.tokens[this.position] as Token
  }

  take(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.position++
    return token
  }

  /** Where the next token starts, and where the last one taken ended. */
  start(): number {
    return this.peek().start
  }

  since(start: number): string {
    return this.source.slice(start, this.tokens[this.position - 1]?.end ?? start)
  }

  isWord(word: string): boolean {
    const { kind, text } = this.peek()
    return kind === 'word' && text.toUpperCase() === word
  }

  isSymbol(symbol: string): boolean {
    const { kind, text } = this.peek()
    return kind === 'symbol' && text === symbol
  }

  tryWord(word: string): boolean {
    if (!this.isWord(word)) return false
    this.position++
    return true
  }

  trySymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false
    this.position++
    return true
  }

  needWord(word: string): void {
    if (!this.tryWord(word)) this.fail()
  }

  needSymbol(symbol: string): void {
    if (!this.trySymbol(symbol)) this.fail()
  }

  /** A name that is no keyword. */
  needName(): string {
    const { kind, text } = this.peek()
    if (kind !== 'word' || keywords.has(text.toUpperCase())) this.fail()
    return this.take().text
  }

  /** Throws for syntax that this emulator does not read. */
  fail(): never {
    const { kind, text } = this.peek()
    const near = kind === 'end' ? 'the end of the query' : `'${text}'`
    throw new QueryError(`Syntax error, incorrect or not emulated syntax near ${near}.`)
  }
}
