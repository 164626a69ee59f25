import { START } from './fixture.ts'

/** A series as `name{label="value"}` with its value or its samples (seconds after START). */
export type Found = Record<string, number | readonly (readonly [seconds: number, value: number])[]>

const A = '{code="200",pod="a"}'
const B = '{code="200",pod="b"}'
export const BAD = '{code="503",pod="b"}'

/** What, query, seconds after START, and what is found. Windows begin between samples, where 2 and 3 agree. */
export const INSTANT: readonly (readonly [string, string, number, Found])[] = [
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
  ['a quantile', 'histogram_quantile(0.5, took_bucket)', 100, { '{}': 0.5 + 2 * (10 / 20) }],
  ['a quantile of the first bucket', 'histogram_quantile(0.1, sum by (le) (took_bucket))', 100, { '{}': 0.5 * 0.4 }],
  ['a quantile beyond the last edge', 'histogram_quantile(0.9, took_bucket)', 100, { '{}': 2.5 }],
  ['a quantile of all', 'histogram_quantile(1.5, took_bucket)', 100, { '{}': Number.POSITIVE_INFINITY }],
  ['a quantile of no observations', 'histogram_quantile(0.5, took_bucket)', 5, { '{}': Number.NaN }],
  ['a quantile without the last bucket', 'histogram_quantile(0.5, took_bucket{le!="+Inf"})', 100, { '{}': Number.NaN }],
  ['a quantile of what is no histogram', 'histogram_quantile(0.5, up)', 100, {}],
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

export const REFUSED: readonly (readonly [query: string, reason: string])[] = [
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

export const NOT_COMPUTABLE: readonly (readonly [query: string, reason: string])[] = [
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
export const BROKEN: readonly (readonly [query: string, place: string])[] = [
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

export const BAD_PARAMETERS: readonly (readonly [string, string, Record<string, string>, string])[] = [
  ['an empty query', '/api/v1/query', { query: '' }, 'parse error: no expression found in input'],
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
