import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { START } from './fixture.ts'

/** A Prometheus that holds FIXTURE and nothing else. */
export interface PrometheusUnderTest {
  /** 2 and 3 differ in the left edge of windows and in some messages. */
  readonly majorVersion: 2 | 3
  ask(request: Ask): Promise<Answer>
  close(): Promise<void>
}

export interface Ask {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as a form by POST. */
  readonly form?: Readonly<Record<string, string>>
  readonly method?: string
}

export interface Answer {
  readonly status: number
  /** JSON where it is JSON, else the text. */
  readonly body: unknown
}

/** A series as `name{label="value"}` with its value or its samples (seconds after START). */
type Found = Record<string, number | readonly (readonly [seconds: number, value: number])[]>

/** What Meshwright asks of Prometheus' query API, and a little more: run it on the emulator and on the real program. */
export function prometheusContract(name: string, connect: () => Promise<PrometheusUnderTest>): void {
  describe(`${name} answers as Prometheus does`, () => {
    let prometheus: PrometheusUnderTest
    beforeAll(async () => {
      prometheus = await connect()
    })
    afterAll(() => prometheus?.close())

    const instant = (query: string, seconds: number) =>
      prometheus.ask({ path: '/api/v1/query', query: { query, time: String(START + seconds) } })
    const found = async (query: string, seconds: number) => readResult((await instant(query, seconds)).body)

    it.each(INSTANT)('%s: %s', async (_, query, seconds, expected) => {
      expectFound(await found(query, seconds), expected)
    })

    it.each(REFUSED)('refuses %s', async (query, reason) => {
      const { status, body } = await instant(query, 100)
      expect(status).toBe(400)
      expect(body).toEqual({ status: 'error', errorType: 'bad_data', error: `invalid parameter "query": ${reason}` })
    })

    it.each(BROKEN)('finds the broken place of %s', async (query, place) => {
      const { status, body } = await instant(query, 100)
      expect(status).toBe(400)
      expect(body).toMatchObject({ status: 'error', errorType: 'bad_data' })
      expect((body as { error: string }).error).toContain(`invalid parameter "query": ${place}: parse error: `)
    })

    it('takes the sample on the left edge of a window up to version 2, and not from version 3 on', async () => {
      const samples = (await found('requests_total{pod="a"}[30s]', 60))['requests_total{code="200",pod="a"}']
      const closed = [
        [30, 20],
        ...[
          [45, 30],
          [60, 40],
        ],
      ]
      expect(samples).toEqual(prometheus.majorVersion === 2 ? closed : closed.slice(1))
      const last = await found('requests_total{pod="b",code="503"}', 240 + 300)
      expect(Object.keys(last)).toHaveLength(prometheus.majorVersion === 2 ? 1 : 0)
    })

    it('guesses where a young series began: from version 3 on never further back than half an interval', async () => {
      // Samples 2, 4, 6, 8, the last 5 s before the end; on their line the counter was zero 15 s before the first.
      const increase = await found('increase(requests_total{code="503"}[2m])', 200)
      expectFound(increase, { [BAD]: (6 * (45 + (prometheus.majorVersion === 2 ? 15 : 7.5) + 5)) / 45 })
    })

    it('writes extreme values as Go does, and times as numbers of seconds', async () => {
      const answer = await instant('{__name__="odd",kind=~"large|small|infinite|nan"}', 60.5)
      const values = (answer.body as { data: { result: { metric: { kind: string }; value: unknown }[] } }).data.result
      expect(Object.fromEntries(values.map(({ metric, value }) => [metric.kind, value]))).toEqual({
        infinite: [START + 60.5, '-Inf'],
        large: [START + 60.5, '1.5e+21'],
        nan: [START + 60.5, 'NaN'],
        small: [START + 60.5, '2.5e-09'],
      })
    })

    it('names the result type: vector, matrix, scalar, string', async () => {
      const types = ['up', 'up[1m]', '1 + 1', '"text"'].map(async (query) => {
        const { body } = await instant(query, 60)
        return (body as { data: { resultType: string } }).data.resultType
      })
      expect(await Promise.all(types)).toEqual(['vector', 'matrix', 'scalar', 'string'])
    })

    it('takes a form by POST, and its fields before those of the URL', async () => {
      const form = { query: '2', time: String(START) }
      const answer = await prometheus.ask({ path: '/api/v1/query', query: { query: '1', time: '1' }, form })
      expect(answer).toEqual({
        status: 200,
        body: { status: 'success', data: { resultType: 'scalar', result: [START, '2'] } },
      })
    })

    it('takes times as RFC 3339 too', async () => {
      const zoned = await prometheus.ask({
        path: '/api/v1/query',
        query: { query: '1', time: '2023-11-14T23:14:30.5+01:00' },
      })
      expect(zoned.body).toMatchObject({ data: { result: [START + 70.5, '1'] } })
    })

    it('evaluates a range query at every step', async () => {
      const range = { start: String(START + 120), end: String(START + 165), step: '15s' }
      const ask = (query: string) => prometheus.ask({ path: '/api/v1/query_range', query: { query, ...range } })
      expectFound(readResult((await ask('requests_total{pod="b"}')).body), {
        'requests_total{code="200",pod="b"}': [
          [120, 340],
          [135, 370],
          [150, 0],
          [165, 30],
        ],
        'requests_total{code="503",pod="b"}': [
          [150, 2],
          [165, 4],
        ],
      })
      expectFound(readResult((await ask('1')).body), {
        '{}': [
          [120, 1],
          [135, 1],
          [150, 1],
          [165, 1],
        ],
      })
      expectFound(readResult((await ask('sum(up) > 1')).body), {
        '{}': [
          [120, 2],
          [135, 2],
          [165, 2],
        ],
      })
    })

    it.each(BAD_PARAMETERS)('refuses %s', async (_, path, query, error) => {
      const answer = await prometheus.ask({ path, query })
      expect(answer.status).toBe(400)
      expect(answer.body).toMatchObject({ status: 'error', errorType: 'bad_data' })
      expect((answer.body as { error: string }).error.toLowerCase()).toContain(error)
    })

    it('gives up at once with a timeout of nothing', async () => {
      const answer = await prometheus.ask({ path: '/api/v1/query', query: { query: 'up', timeout: '0' } })
      expect(answer.status).toBe(503)
      expect(answer.body).toMatchObject({ status: 'error', errorType: 'timeout' })
      expect((answer.body as { error: string }).error).toMatch(/^query timed out in query (queue|execution)$/)
    })

    it.each(NOT_COMPUTABLE)('cannot compute %s', async (query, reason) => {
      const { status, body } = await instant(query, 100)
      expect(status).toBe(422)
      expect(body).toMatchObject({ status: 'error', errorType: 'execution' })
      expect((body as { error: string }).error).toContain(reason)
    })

    it('knows no other methods and no other paths', async () => {
      expect((await prometheus.ask({ path: '/api/v1/query', query: { query: '1' }, method: 'PUT' })).status).toBe(405)
      expect((await prometheus.ask({ path: '/api/v1/nope' })).status).toBe(404)
    })
  })
}

const A = '{code="200",pod="a"}'
const B = '{code="200",pod="b"}'
const BAD = '{code="503",pod="b"}'

/** What, query, seconds after START, and what is found. Windows begin between samples, where 2 and 3 agree. */
const INSTANT: readonly (readonly [string, string, number, Found])[] = [
  [
    'a selector finds the last sample',
    'requests_total',
    100,
    { [`requests_total${A}`]: 60, [`requests_total${B}`]: 280 },
  ],
  ['a series is found for five minutes', 'requests_total{code="503"}', 539, { [`requests_total${BAD}`]: 14 }],
  ['and no longer', 'requests_total{code="503"}', 541, {}],
  ['equal', 'requests_total{pod="a"}', 100, { [`requests_total${A}`]: 60 }],
  ['not equal', 'requests_total{pod!="a"}', 100, { [`requests_total${B}`]: 280 }],
  ['matching', 'requests_total{code=~"5.."}', 160, { [`requests_total${BAD}`]: 2 }],
  ['matching the whole value only', 'requests_total{code=~"5|0."}', 160, {}],
  ['not matching', 'requests_total{code!~"5.*|4.*",pod=~"(a|c)"}', 100, { [`requests_total${A}`]: 60 }],
  ['an absent label is empty', 'requests_total{pod="a",zone=""}', 100, { [`requests_total${A}`]: 60 }],
  ['an absent label is not something', 'requests_total{zone!=""}', 100, {}],
  ['the name is a label', '{__name__=~"requests_.*",pod="a"}', 100, { [`requests_total${A}`]: 60 }],
  ['strings in single quotes', "requests_total{pod='a'}", 100, { [`requests_total${A}`]: 60 }],
  ['escapes', 'odd{text="a \\"b\\" \\\\ c"}', 60, { 'odd{kind="text",text="a \\"b\\" \\\\ c"}': 0.1 }],
  ['raw strings', 'odd{text=`a "b" \\ c`}', 60, { 'odd{kind="text",text="a \\"b\\" \\\\ c"}': 0.1 }],
  ['comments', 'sum(up) # all', 60, { '{}': 2 }],
  [
    'raw samples',
    `requests_total{pod="a"}[32s]`,
    50,
    {
      [`requests_total${A}`]: [
        [30, 20],
        [45, 30],
      ],
    },
  ],
  [
    'raw samples at the right edge',
    `requests_total{pod="a"}[20s]`,
    45,
    {
      [`requests_total${A}`]: [
        [30, 20],
        [45, 30],
      ],
    },
  ],
  ['raw samples, none', `requests_total{code="503"}[1m]`, 100, {}],
  [
    'raw samples over a reset',
    `requests_total{pod="b",code="200"}[32s]`,
    160,
    {
      [`requests_total${B}`]: [
        [135, 370],
        [150, 0],
      ],
    },
  ],
  [
    'raw samples with offset',
    `requests_total{pod="a"}[32s] offset 10s`,
    60,
    {
      [`requests_total${A}`]: [
        [30, 20],
        [45, 30],
      ],
    },
  ],
  [
    'compound durations',
    `requests_total{pod="a"}[0m32s]`,
    50,
    {
      [`requests_total${A}`]: [
        [30, 20],
        [45, 30],
      ],
    },
  ],
  ['offset', 'requests_total{pod="a"} offset 1m', 100, { [`requests_total${A}`]: 20 }],
  ['negative offset', 'requests_total{pod="a"} offset -1m', 100, { [`requests_total${A}`]: 100 }],
  ['sum', 'sum(requests_total)', 160, { '{}': 102 }],
  ['sum by', 'sum by (code) (requests_total)', 160, { '{code="200"}': 100, '{code="503"}': 2 }],
  ['sum by, written behind', 'sum(requests_total) by (pod, zone,)', 160, { '{pod="a"}': 100, '{pod="b"}': 2 }],
  ['sum by nothing', 'sum by () (requests_total)', 160, { '{}': 102 }],
  ['sum without', 'sum without (code) (requests_total)', 160, { '{pod="a"}': 100, '{pod="b"}': 2 }],
  [
    'sum without nothing',
    'sum without () (up)',
    60,
    { '{instance="a:15020",job="pods"}': 1, '{instance="b:15020",job="pods"}': 1 },
  ],
  ['sum of nothing', 'sum(nothing)', 160, {}],
  [
    'increase, stretched to both edges',
    'increase(requests_total{pod="a"}[64s])',
    110,
    { [A]: (30 * (45 + 14 + 5)) / 45 },
  ],
  ['increase, from zero on', 'increase(requests_total{pod="a"}[64s])', 50, { [A]: 30 + 10 / 3 }],
  [
    'increase over a reset',
    'increase(requests_total{pod="b",code="200"}[64s])',
    170,
    { [B]: (60 * (45 + 14 + 5)) / 45 },
  ],
  [
    'increase of a series that ended',
    'increase(requests_total{code="503"}[2m])',
    299,
    { [BAD]: (8 * (60 + 1 + 7.5)) / 60 },
  ],
  ['increase of one sample', 'increase(requests_total{code="503"}[20s])', 160, {}],
  ['rate', 'rate(requests_total{pod="a"}[64s])', 110, { [A]: 2 / 3 }],
  ['rate with offset', 'rate(requests_total{pod="a"}[64s] offset 30s)', 140, { [A]: 2 / 3 }],
  ['sum of rates', 'sum by (code) (rate(requests_total[64s])) * 60', 110, { '{code="200"}': 160 }],
  ['a vector of a scalar', 'vector(1 + 1)', 0, { '{}': 2 }],
  ['something or nothing', 'sum(nothing) or vector(0)', 160, { '{}': 0 }],
  ['something or something', 'sum(up) or vector(0)', 60, { '{}': 2 }],
  [
    'both when labels differ',
    'up{instance="a:15020"} or vector(7)',
    60,
    { 'up{instance="a:15020",job="pods"}': 1, '{}': 7 },
  ],
  ['up', 'up', 150, { 'up{instance="a:15020",job="pods"}': 1, 'up{instance="b:15020",job="pods"}': 0 }],
  ['filter', 'up == 0', 150, { 'up{instance="b:15020",job="pods"}': 0 }],
  ['filter, turned round', '0 < up', 150, { 'up{instance="a:15020",job="pods"}': 1 }],
  [
    'comparison as 0 and 1',
    'up > bool 0',
    150,
    { '{instance="a:15020",job="pods"}': 1, '{instance="b:15020",job="pods"}': 0 },
  ],
  ['arithmetic drops the name', '(requests_total{pod="a"} * 2 + 1) % 50', 100, { [A]: 21 }],
  ['a sign', '-up{instance="a:15020"}', 60, { '{instance="a:15020",job="pods"}': -1 }],
  ['powers bind to the right and tighter than signs', 'vector(-2 ^ 2 + 2 ^ 3 ^ 2)', 0, { '{}': 508 }],
  ['division by zero', 'vector(1 / 0)', 0, { '{}': Number.POSITIVE_INFINITY }],
  ['numbers', 'vector(0x10 + 1e2 + .5)', 0, { '{}': 116.5 }],
  ['the time', 'vector(time())', 60, { '{}': START + 60 }],
  ['a share', 'sum(requests_total{code="503"}) / sum(requests_total)', 160, { '{}': 2 / 102 }],
  ['vectors meet on equal labels', 'requests_total{pod="a"} / requests_total', 100, { [A]: 1 }],
  ['keywords in capitals', 'SUM(requests_total OFFSET 1m) BY (pod)', 100, { '{pod="a"}': 20, '{pod="b"}': 160 }],
]

const REFUSED: readonly (readonly [query: string, reason: string])[] = [
  ['', '1:1: parse error: no expression found in input'],
  ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{pod=~".*"}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['up{__name__="down"}', '1:1: parse error: metric name must not be set twice: "up" or "down"'],
  ['nofn(up)', '1:1: parse error: unknown function with name "nofn"'],
  ['rate(up)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
  ['rate(up[1m], 3)', '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'],
  ['vector()', '1:1: parse error: expected 1 argument(s) in call to "vector", got 0'],
  ['vector(up)', '1:8: parse error: expected type scalar in call to function "vector", got instant vector'],
  ['sum(up[1m])', '1:5: parse error: expected type instant vector in aggregation expression, got range vector'],
  ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
  ['sum(up,up)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2'],
  ['up + "a"', '1:6: parse error: binary expression must contain only scalar and instant vector types'],
  ['up[1m] > 3', '1:1: parse error: binary expression must contain only scalar and instant vector types'],
  ['up or 1', '1:1: parse error: set operator "or" not allowed in binary scalar expression'],
  ['3 > 2', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
  ['up + bool 2', '1:4: parse error: bool modifier can only be used on comparison operators'],
  [
    '-"a"',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
  ],
  ['up offset 5m offset 5m', '1:1: parse error: offset may not be set multiple times'],
  ['sum(up', '1:7: parse error: unclosed left parenthesis'],
  ['(up', '1:4: parse error: unclosed left parenthesis'],
  ['up)', "1:4: parse error: unexpected right parenthesis ')'"],
  ['up{', '1:4: parse error: unexpected end of input inside braces'],
  ['up{job="a"', '1:11: parse error: unexpected end of input inside braces'],
  ['1 + ', '1:5: parse error: unexpected end of input'],
  ['foo bar', '1:5: parse error: unexpected identifier "bar"'],
  ['* 2', '1:1: parse error: unexpected <op:*>'],
  ['$a', "1:1: parse error: unexpected character: '$'"],
  ['"abc', '1:1: parse error: unterminated quoted string'],
]

const DUPLICATES = '{__name__=~"requests_total|errors_total",pod="a"}'

const NOT_COMPUTABLE: readonly (readonly [query: string, reason: string])[] = [
  [
    `requests_total{pod="a"} / ${DUPLICATES}`,
    'found duplicate series for the match group {code="200", pod="a"} on the right hand-side of the operation',
  ],
  [
    `${DUPLICATES} / requests_total{pod="a"}`,
    'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
  ],
  [`rate(${DUPLICATES}[64s])`, 'vector cannot contain metrics with the same labelset'],
  [`-${DUPLICATES}`, 'vector cannot contain metrics with the same labelset'],
  [`sum(${DUPLICATES} * 2)`, 'vector cannot contain metrics with the same labelset'],
]

/** Here the versions of Prometheus and the emulator agree on the place, not on the words. */
const BROKEN: readonly (readonly [query: string, place: string])[] = [
  ['up{job=x}', '1:8'],
  ['up{job="a",,}', '1:12'],
  ['up{job}', '1:7'],
  ['up{=}', '1:4'],
  ['up[5x]', '1:4'],
  ['up[0s]', '1:4'],
  ['up{job=~"("}', '1:4'],
  ['up{\n  job=~"["}', '2:3'],
  ['up offset', '1:10'],
  ['(up)[5m]', '1:5'],
  ['up[1m][1m]', '1:7'],
  ['sum by a (up)', '1:8'],
  ['sum by (1) (up)', '1:9'],
]

const RANGE = { query: 'up', start: String(START), end: String(START + 60), step: '15' }

const BAD_PARAMETERS: readonly (readonly [string, string, Record<string, string>, string])[] = [
  [
    'a time that is none',
    '/api/v1/query',
    { query: '1', time: 'abc' },
    `invalid parameter "time": invalid time value for 'time': cannot parse "abc" to a valid timestamp`,
  ],
  [
    'a timeout that is none',
    '/api/v1/query',
    { query: '1', timeout: 'abc' },
    'invalid parameter "timeout": cannot parse "abc" to a valid duration',
  ],
  [
    'a range without an end',
    '/api/v1/query_range',
    { ...RANGE, end: '' },
    'invalid parameter "end": cannot parse "" to a valid timestamp',
  ],
  [
    'a range that ends before it starts',
    '/api/v1/query_range',
    { ...RANGE, end: '1' },
    'invalid parameter "end": end timestamp must not be before start time',
  ],
  [
    'a step of nothing',
    '/api/v1/query_range',
    { ...RANGE, step: '0' },
    'invalid parameter "step": zero or negative query resolution step widths are not accepted. try a positive integer',
  ],
  [
    'too many steps',
    '/api/v1/query_range',
    { ...RANGE, start: '0' },
    'exceeded maximum resolution of 11,000 points per timeseries. try decreasing the query resolution (?step=xx)',
  ],
  [
    'a range of raw samples',
    '/api/v1/query_range',
    { ...RANGE, query: 'up[1m]' },
    'invalid expression type "range vector" for range query, must be scalar or instant vector',
  ],
]

function readResult(body: unknown): Found {
  const { data } = body as { data: { result: { metric: Record<string, string>; value?: Raw; values?: Raw[] }[] } }
  const entries = data.result.map(({ metric, value, values }) => {
    const { __name__: name = '', ...labels } = metric
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`)
    const key = `${name}{${pairs.sort().join(',')}}`
    return [key, value ? readNumber(value[1]) : (values ?? []).map(([time, text]) => [time - START, readNumber(text)])]
  })
  return Object.fromEntries(entries)
}

type Raw = readonly [time: number, value: string]

function readNumber(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

/** Equal but for rounding. */
function expectFound(actual: Found, expected: Found): void {
  const rounded = (found: Found) =>
    JSON.parse(JSON.stringify(found, (_, value) => (typeof value === 'number' ? value.toPrecision(12) : value)))
  expect(rounded(actual)).toEqual(rounded(expected))
}
