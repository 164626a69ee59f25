/** The error types of Prometheus' HTTP API that this emulator gives. */
export type QueryErrorType = 'bad_data' | 'execution' | 'timeout'

const STATUS: Readonly<Record<QueryErrorType, number>> = { bad_data: 400, execution: 422, timeout: 503 }

/** A query that cannot be answered, with Prometheus' type and words. */
export class QueryError extends Error {
  override name = 'QueryError'
  readonly type: QueryErrorType

  constructor(type: QueryErrorType, message: string) {
    super(message)
    this.type = type
  }

  /** The HTTP status that Prometheus gives with the type. */
  get status(): number {
    return STATUS[this.type]
  }
}

/** Why an expression does not parse, with the offset in its text. */
export class ParseError extends Error {
  override name = 'ParseError'

  constructor(text: string, offset: number, reason: string) {
    const before = text.slice(0, offset)
    const line = before.split('\n').length
    const column = offset - (before.lastIndexOf('\n') + 1) + 1
    super(`${line}:${column}: parse error: ${reason}`)
  }
}
