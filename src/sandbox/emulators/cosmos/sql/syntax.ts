/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** What an expression gives: a JSON value, or undefined where Cosmos DB says "undefined". */
export type Value = Json | undefined

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'parameter'; readonly name: string }
  /** From the document on: `c.a["b"][0]` is ["a", "b", 0], `c` is []. */
  | { readonly kind: 'path'; readonly steps: readonly (string | number)[] }
  | { readonly kind: 'array'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [name: string, value: Expression])[] }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'in'; readonly value: Expression; readonly options: readonly Expression[] }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly arguments: readonly Expression[] }

/** The functions of this subset and how many arguments each takes. */
export const functions = {
  IS_DEFINED: 1,
  IS_NULL: 1,
  STARTSWITH: 2,
  ARRAY_CONTAINS: 2,
  ARRAY_LENGTH: 1,
} as const

export type FunctionName = keyof typeof functions

export type Projection =
  | { readonly kind: 'all' }
  | { readonly kind: 'value'; readonly column: Column }
  | { readonly kind: 'list'; readonly columns: readonly Column[] }

export interface Column {
  readonly name: string
  readonly value: Expression
  /** The expression as written. */
  readonly text: string
}

export interface OrderItem {
  readonly steps: readonly string[]
  readonly descending: boolean
}

/** One parsed query, with the texts that a query plan repeats. */
export interface Query {
  readonly top: Expression | undefined
  readonly projection: Projection
  readonly alias: string
  readonly where: Expression | undefined
  readonly orderBy: readonly OrderItem[]
  readonly text: {
    readonly top: string
    readonly from: string
    readonly where: string
    readonly orderItems: readonly string[]
    readonly orderBy: string
  }
}

/** A query that Cosmos DB would refuse, or that this emulator does not answer; the message says which and why. */
export class QueryError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'QueryError'
  }
}
