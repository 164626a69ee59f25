import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Item } from '../../../../../src/sandbox/emulators/cosmos/documents.ts'
import { parseQuery } from '../../../../../src/sandbox/emulators/cosmos/sql/parse-query.ts'
import { queryPlan } from '../../../../../src/sandbox/emulators/cosmos/sql/plan.ts'
import { type QuerySpec, runQuery } from '../../../../../src/sandbox/emulators/cosmos/sql/run.ts'
import { type Json, QueryError } from '../../../../../src/sandbox/emulators/cosmos/sql/syntax.ts'

function items(...documents: Record<string, Json>[]): Item[] {
  return documents.map((document, number) => ({ partitionKey: '"p"', range: '0', number, lsn: number, document }))
}

function specOf(query: string, parameters: Record<string, Json> = {}): QuerySpec {
  return { query, parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })) }
}

function run(spec: QuerySpec, over: readonly Item[], maxItems = 1000): readonly Json[] {
  return runQuery(parseQuery(spec.query), spec, over, { maxItems, continuation: undefined }).results
}

const document = {
  id: 'a',
  n: 5,
  text: 'it\'s "x"',
  yes: true,
  nothing: null,
  list: [1, 'two', { three: 3 }],
  deep: { er: { most: 'here' }, 'odd name': 1, value: 2 },
}

/** What Cosmos DB makes of a condition: true, false, or undefined (neither it nor its negation holds). */
function truth(condition: string, parameters: Record<string, Json> = {}): boolean | undefined {
  const holds = (text: string) => run(specOf(`SELECT * FROM c WHERE ${text}`, parameters), items(document)).length === 1
  if (holds(condition)) return true
  return holds(`NOT (${condition})`) ? false : undefined
}

describe('conditions', () => {
  it.each([
    ['c.n = 5', true],
    ['c.n = 5.0', true],
    ['c.n != 5', false],
    ['c.n <> 6', true],
    ['c.n < "a"', undefined],
    ['c.none = 1', undefined],
    ['c.none = undefined', undefined],
    ['c.nothing = null', true],
    ['c.yes', true],
    ['NOT c.yes', false],
    ['NOT c.n', undefined],
    ['c.n', undefined],
    ['c.n = -5 OR c.n = 5', true],
    ['c.none = 1 OR c.n = 5', true],
    ['c.none = 1 OR c.n = 6', undefined],
    ['c.none = 1 AND c.n = 6', false],
    ['c.none = 1 AND c.n = 5', undefined],
    ['c.n IN (1, 2)', false],
    ['c.n NOT IN (1, 2)', true],
    ['c.n IN (1, 5)', true],
    ['c.deep.er.most = "here"', true],
    ['c.deep["odd name"] = 1', true],
    ['c.deep["value"] = 2', true],
    ['c.list[1] = "two"', true],
    ['c.list[9] = "two"', undefined],
    ['c.list["1"] = "two"', undefined],
    ['c.list[2].three = 3', true],
    ['c.list = [1, "two", {"three": 3}]', true],
    ['c.list < [1]', undefined],
    ["c.text = 'it\\'s \"x\"'", true],
    ['c.text = "it\'s \\"x\\""', true],
    ['IS_DEFINED(c.nothing)', true],
    ['is_defined(c.none)', false],
    ['IS_NULL(c.nothing)', true],
    ['IS_NULL(c.none)', false],
    ['STARTSWITH(c.id, "")', true],
    ['STARTSWITH(c.n, "5")', undefined],
    ['ARRAY_LENGTH(c.list) = 3', true],
    ['ARRAY_LENGTH(c.id) = 1', undefined],
    ['ARRAY_CONTAINS(c.list, {three: 3})', true],
    ['ARRAY_CONTAINS(c.list, 2)', false],
    ['ARRAY_CONTAINS(c.id, "a")', undefined],
    ['true', true],
    ['c.n >= 5 AND (c.n <= 5 AND NOT c.n > 5)', true],
  ])('%s is %s', (condition, expected) => {
    expect(truth(condition)).toBe(expected)
  })

  it('takes parameters of any type', () => {
    expect(truth('c.deep.er = @x', { '@x': { most: 'here' } })).toBe(true)
    expect(truth('c.nothing = @x', { '@x': null })).toBe(true)
    expect(truth('ARRAY_CONTAINS(@x, c.id)', { '@x': ['a'] })).toBe(true)
    expect(() => truth('c.n = @missing')).toThrow(QueryError)
  })

  it('does not find inherited properties', () => {
    expect(truth('IS_DEFINED(c.constructor)')).toBe(false)
    expect(truth('IS_DEFINED(c.list.length)')).toBe(false)
    expect(truth('IS_DEFINED(c.id.length)')).toBe(false)
  })

  it('finds nothing equal of another type, and will not say what differs from it', () => {
    const found = (condition: string) => run(specOf(`SELECT * FROM c WHERE ${condition}`), items(document)).length
    for (const no of ['c.n = "5"', 'c.n = null', 'c.n IN (1, "5")', 'c.n = "5" AND c.yes', 'c.n = "5" OR c.n = 6']) {
      expect(found(no), no).toBe(0)
      expect(() => found(`NOT (${no})`), no).toThrow('one type')
    }
    expect(found('c.n = "5" OR c.yes')).toBe(1)
    expect(found('NOT (c.n = "5" AND c.n = 6)')).toBe(1)
    for (const bad of ['c.n != "5"', 'c.n != null', 'c.nothing != 1', 'c.nothing <= null']) {
      expect(() => found(bad), bad).toThrow('emulated')
    }
  })
})

describe('projections', () => {
  const over = items({ id: 'a', n: 1, deep: { x: [1, 2] } }, { id: 'b', deep: {} })

  it.each([
    ['SELECT c.id, c.n FROM c', [{ id: 'a', n: 1 }, { id: 'b' }]],
    ['SELECT VALUE c.n FROM c', [1]],
    ['SELECT VALUE c FROM c', [over[0]?.document, over[1]?.document]],
    ['SELECT c FROM c', [{ c: over[0]?.document }, { c: over[1]?.document }]],
    ['select r.deep.x[1] as second, r["id"] name from root r', [{ second: 2, name: 'a' }, { name: 'b' }]],
    [
      'SELECT {"i": c.id, n: [c.n, 2]} AS o, 1 FROM c',
      [
        { o: { i: 'a', n: [1, 2] }, $2: 1 },
        { o: { i: 'b', n: [2] }, $2: 1 },
      ],
    ],
    ['SELECT TOP 1 VALUE c.id FROM c -- a comment', ['a']],
    ['SELECT TOP 0 * FROM c', []],
  ])('%s', (query, expected) => {
    expect(run(specOf(query), over)).toEqual(expected)
  })
})

describe('what is refused', () => {
  it.each([
    'SELECT * FROM c WHERE',
    'SELECT * FROM c WHERE c.a = ',
    'SELECT * FROM c WHERE c.a == 1',
    'SELECT * FROM c WHERE c.a = 1 = 2',
    'SELECT * FROM c WHERE c.value = 1',
    'SELECT c.order FROM c',
    'SELECT * FROM c WHERE d.a = 1',
    'SELECT * FROM c WHERE c.a BETWEEN 1 AND 2',
    'SELECT * FROM c WHERE c.a LIKE "x%"',
    'SELECT * FROM c WHERE c.a + 1 = 2',
    'SELECT * FROM c WHERE c.a IN ()',
    'SELECT * FROM c WHERE CONTAINS(c.a, "x")',
    'SELECT * FROM c WHERE ARRAY_CONTAINS(c.a, {x: 1}, true)',
    'SELECT * FROM c WHERE EXISTS(SELECT VALUE t FROM t IN c.tags)',
    'SELECT * FROM c WHERE (SELECT VALUE 1)',
    'SELECT * FROM c JOIN t IN c.tags',
    'SELECT * FROM t IN c.tags',
    'SELECT * FROM c.tags',
    'SELECT DISTINCT c.a FROM c',
    'SELECT COUNT(1) FROM c',
    'SELECT VALUE COUNT(1) FROM c',
    'SELECT c.a FROM c GROUP BY c.a',
    'SELECT * FROM c OFFSET 0 LIMIT 1',
    'SELECT * FROM c ORDER BY c.list[0]',
    'SELECT * FROM c ORDER BY c',
    'SELECT * FROM c ORDER BY 1',
    'SELECT TOP -1 * FROM c',
    'SELECT TOP 1.5 * FROM c',
    'SELECT c.a, c.b.a FROM c',
    'SELECT 1',
    'SELECT * FROM c; SELECT * FROM c',
    'SELECT * FROM c WHERE c.a = "unclosed',
    'SELECT * FROM c WHERE c.a = "\\q"',
    'DELETE FROM c',
    '',
  ])('%s', (query) => {
    expect(() => run(specOf(query), items({ id: 'a', a: 1 }))).toThrow(QueryError)
  })

  it('an order over documents without a value to order by', () => {
    const over = items({ id: 'a', n: 1 }, { id: 'b' })
    expect(() => run(specOf('SELECT * FROM c ORDER BY c.n'), over)).toThrow('WHERE')
    expect(run(specOf('SELECT VALUE c.id FROM c WHERE IS_DEFINED(c.n) ORDER BY c.n'), over)).toEqual(['a'])
  })

  it('a continuation of another query', () => {
    const over = items({ id: 'a' }, { id: 'b' })
    const first = runQuery(parseQuery('SELECT * FROM c'), specOf('SELECT * FROM c'), over, {
      maxItems: 1,
      continuation: undefined,
    })
    const other = specOf('SELECT VALUE c.id FROM c')
    for (const continuation of [first.continuation, 'nonsense', '']) {
      expect(() => runQuery(parseQuery(other.query), other, over, { maxItems: 1, continuation })).toThrow('Token')
    }
  })
})

const documents = fc.array(
  fc.record({ a: fc.integer({ min: 0, max: 4 }), b: fc.constantFrom('x', 'y', 'z', 'é', '') }),
  { maxLength: 25 },
)

function numbered(rows: readonly { a: number; b: string }[]): Item[] {
  return items(...rows.map((row, index) => ({ id: String(index), ...row })))
}

function allPages(spec: QuerySpec, pageSize: number, over: (page: number) => readonly Item[]): Json[][] {
  const pages: Json[][] = []
  let continuation: string | undefined
  do {
    const page = runQuery(parseQuery(spec.query), spec, over(pages.length), { maxItems: pageSize, continuation })
    expect(page.results.length).toBeLessThanOrEqual(pageSize)
    pages.push([...page.results])
    continuation = page.continuation
  } while (continuation)
  return pages
}

describe('pages', () => {
  const text = 'SELECT TOP @top VALUE c.id FROM c WHERE c.a > @a ORDER BY c.a DESC, c.b'

  it('put together are the whole answer, in order', () => {
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 7 }), fc.nat(30), (rows, pageSize, top) => {
        const over = numbered(rows)
        const spec = specOf(text, { '@a': 1, '@top': top })
        const expected = rows
          .map((row, index) => ({ ...row, id: String(index) }))
          .filter(({ a }) => a > 1)
          .sort((p, q) => q.a - p.a || (p.b < q.b ? -1 : Number(p.b > q.b)) || Number(p.id) - Number(q.id))
          .slice(0, top)
        expect(allPages(spec, pageSize, () => over).flat()).toEqual(expected.map(({ id }) => id))
      }),
    )
  })

  it('give nothing twice and miss nothing that stays, while documents come and go', () => {
    fc.assert(
      fc.property(documents, documents, fc.integer({ min: 1, max: 5 }), (rows, others, pageSize) => {
        const before = numbered([...rows, ...others])
        const [stay, leave] = [before.slice(0, rows.length), before.slice(rows.length)]
        const over = (page: number) => (page % 2 === 0 ? [...stay, ...leave] : stay)
        const found = allPages(specOf('SELECT VALUE c.id FROM c ORDER BY c.b'), pageSize, over).flat()
        expect(new Set(found).size).toBe(found.length)
        const staying = stay.map(({ document }) => String(document.id))
        expect(found.map(String)).toEqual(expect.arrayContaining(staying))
      }),
    )
  })

  it('end at 4 MB', () => {
    const big = items(...Array.from({ length: 5 }, (_, n) => ({ id: String(n), text: 'x'.repeat(1_500_000) })))
    const spec = specOf('SELECT * FROM c')
    expect(allPages(spec, 1000, () => big).map((page) => page.length)).toEqual([3, 2])
  })
})

it('plans a query so that the rewritten one, run over each range, carries order and payload', () => {
  const plan = (text: string) =>
    queryPlan(parseQuery(text), new Map([['@top', 3]])).queryInfo as Record<string, unknown>
  const info = plan(
    'SELECT TOP @top c.id, c.deep["x y"] AS z FROM root c WHERE c.a = 1 OR c.b = 2 ORDER BY c.a DESC, c.b',
  )
  expect(info).toMatchObject({ top: 3, orderBy: ['Descending', 'Ascending'], hasSelectValue: false })
  const rewritten = String(info.rewrittenQuery).replace('{documentdb-formattableorderbyquery-filter}', 'true')
  const over = items({ id: 'a', a: 1, b: 7, deep: { 'x y': 5 }, _rid: 'r' }, { id: 'b', a: 0, b: 0, _rid: 's' })
  expect(run(specOf(rewritten, { '@top': 3 }), over)).toEqual([
    { _rid: 'r', orderByItems: [{ item: 1 }, { item: 7 }], payload: { id: 'a', z: 5 } },
  ])
  expect(plan('SELECT * FROM c WHERE c.a = 1')).toMatchObject({ top: null, orderBy: [], rewrittenQuery: '' })
})
