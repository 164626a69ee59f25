import { Cursor } from './cursor.ts'
import { parseExpression } from './parse-expression.ts'
import { type Column, type Expression, type OrderItem, type Projection, type Query, QueryError } from './syntax.ts'

/**
 * Reads a query of this subset of Cosmos DB's SQL:
 * `SELECT [TOP n] * | VALUE e | e [AS x], … FROM c [WHERE e] [ORDER BY c.a [ASC|DESC], …]`. Throws QueryError for
 * anything else, also where Cosmos DB itself would answer.
 */
export function parseQuery(source: string): Query {
  const cursor = new Cursor(source)
  const alias = findAlias(source)
  cursor.needWord('SELECT')
  if (cursor.isWord('DISTINCT')) throw new QueryError('DISTINCT is not emulated.')
  const top = parseTop(cursor)
  const projection = parseProjection(cursor, alias)
  const fromStart = cursor.start()
  parseFrom(cursor)
  const from = cursor.since(fromStart)
  let where: Expression | undefined
  let whereText = ''
  if (cursor.tryWord('WHERE')) {
    const start = cursor.start()
    where = parseExpression(cursor, alias)
    whereText = cursor.since(start)
  }
  const orderStart = cursor.start()
  const { items, texts } = parseOrderBy(cursor, alias)
  const orderBy = texts.length > 0 ? cursor.since(orderStart) : ''
  if (cursor.peek().kind !== 'end') cursor.fail()
  const text = { top: top?.text ?? '', from, where: whereText, orderItems: texts, orderBy }
  return { top: top?.count, projection, alias, where, orderBy: items, text }
}

/** The projection comes before FROM, but needs the name that FROM gives. */
function findAlias(source: string): string {
  const cursor = new Cursor(source)
  while (!cursor.isWord('FROM')) {
    if (cursor.take().kind === 'end') throw new QueryError('A query without FROM is not emulated.')
  }
  return parseFrom(cursor)
}

function parseFrom(cursor: Cursor): string {
  cursor.needWord('FROM')
  const name = cursor.needName()
  if (cursor.isSymbol('.') || cursor.isSymbol('[') || cursor.isWord('IN') || cursor.isWord('JOIN')) {
    throw new QueryError('FROM is emulated with the container alone: no path, no IN, no JOIN.')
  }
  const named = cursor.tryWord('AS')
  const isEnd = cursor.peek().kind === 'end' || cursor.isWord('WHERE') || cursor.isWord('ORDER')
  if (named || (!isEnd && cursor.peek().kind === 'word')) return cursor.needName()
  return name
}

function parseTop(cursor: Cursor): { count: Expression; text: string } | undefined {
  const start = cursor.start()
  if (!cursor.tryWord('TOP')) return undefined
  const { kind, text } = cursor.take()
  if (kind === 'parameter') return { count: { kind: 'parameter', name: text }, text: `${cursor.since(start)} ` }
  if (kind !== 'number' || !/^\d+$/.test(text)) throw new QueryError('TOP takes a whole number or a parameter.')
  return { count: { kind: 'literal', value: Number(text) }, text: `${cursor.since(start)} ` }
}

function parseProjection(cursor: Cursor, alias: string): Projection {
  if (cursor.trySymbol('*')) return { kind: 'all' }
  if (cursor.tryWord('VALUE')) return { kind: 'value', column: parseColumn(cursor, alias, 0) }
  const columns: Column[] = []
  do columns.push(parseColumn(cursor, alias, columns.length))
  while (cursor.trySymbol(','))
  if (new Set(columns.map(({ name }) => name)).size < columns.length) {
    throw new QueryError('The SELECT list names a property twice.')
  }
  return { kind: 'list', columns }
}

function parseColumn(cursor: Cursor, alias: string, index: number): Column {
  const start = cursor.start()
  const value = parseExpression(cursor, alias)
  const text = cursor.since(start)
  const isNamed = cursor.tryWord('AS') || (cursor.peek().kind === 'word' && !cursor.isWord('FROM'))
  return { name: isNamed ? cursor.needName() : defaultName(value, alias, index), value, text }
}

function defaultName(value: Expression, alias: string, index: number): string {
  const last = value.kind === 'path' ? (value.steps.at(-1) ?? alias) : undefined
  return typeof last === 'string' ? last : `$${index + 1}`
}

function parseOrderBy(cursor: Cursor, alias: string): { items: OrderItem[]; texts: string[] } {
  const items: OrderItem[] = []
  const texts: string[] = []
  if (!cursor.tryWord('ORDER')) return { items, texts }
  cursor.needWord('BY')
  do {
    const start = cursor.start()
    const value = parseExpression(cursor, alias)
    texts.push(cursor.since(start))
    const steps = value.kind === 'path' ? value.steps.filter((step) => typeof step === 'string') : []
    if (value.kind !== 'path' || steps.length === 0 || steps.length < value.steps.length) {
      throw new QueryError(
        'Unsupported ORDER BY clause. ORDER BY item expression could not be mapped to a document path.',
      )
    }
    const descending = cursor.tryWord('DESC')
    if (!descending) cursor.tryWord('ASC')
    items.push({ steps, descending })
  } while (cursor.trySymbol(','))
  return { items, texts }
}
