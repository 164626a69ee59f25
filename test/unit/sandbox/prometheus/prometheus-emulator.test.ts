import { describe, expect, it } from 'vitest'
import { prometheusEmulator } from '../../../../src/sandbox/emulators/prometheus/prometheus-emulator.ts'
import { increaseOf } from '../../../../src/sandbox/emulators/prometheus/rate.ts'
import { fixedSeries, type Series } from '../../../../src/sandbox/emulators/prometheus/series-source.ts'

async function ask(series: readonly Series[], query: string, seconds: number, more: Record<string, string> = {}) {
  const emulator = prometheusEmulator({ source: fixedSeries(series), now: () => seconds * 1000 })
  const url = new URL(`http://prometheus/api/v1/query?${new URLSearchParams({ query, ...more })}`)
  const { status, body } = await emulator({ method: 'GET', url, headers: {}, body: new Uint8Array() })
  return { status, body: JSON.parse(String(body)) }
}

const series = (labels: Record<string, string>, ...samples: [seconds: number, value: number | null][]): Series => ({
  labels: { __name__: 'm', ...labels },
  samples: samples.map(([seconds, value]) => [seconds * 1000, value]),
})

describe('staleness', () => {
  const ended = series({}, [10, 1], [20, 2], [30, null])

  it('ends a series for instant selectors at the marker, not five minutes later', async () => {
    expect((await ask([ended], 'm', 29)).body.data.result).toHaveLength(1)
    expect((await ask([ended], 'm', 30)).body.data.result).toEqual([])
    expect((await ask([ended], 'sum(m)', 35)).body.data.result).toEqual([])
  })

  it('leaves markers out of ranges', async () => {
    const { body } = await ask([ended], 'm[1m]', 40)
    expect(body.data.result).toMatchObject([
      {
        values: [
          [10, '1'],
          [20, '2'],
        ],
      },
    ])
    expect((await ask([series({}, [30, null])], 'm[1m]', 40)).body.data.result).toEqual([])
  })

  it('lets a series begin again after a marker', async () => {
    const again = series({}, [10, 1], [20, null], [30, 3])
    expect((await ask([again], 'm', 31)).body.data.result).toMatchObject([{ value: [31, '3'] }])
  })
})

describe('increase by hand', () => {
  it.each([
    ['nothing of one sample', [[10_000, 5]], undefined],
    [
      'to both edges when near',
      [
        [10_000, 100],
        [20_000, 110],
        [30_000, 120],
      ],
      (20 * (20 + 5 + 5)) / 20,
    ],
    [
      'half an interval when far',
      [
        [20_000, 100],
        [25_000, 110],
      ],
      (10 * (5 + 2.5 + 2.5)) / 5,
    ],
    [
      'not below zero',
      [
        [10_000, 1],
        [30_000, 21],
      ],
      (20 * (20 + 1 + 5)) / 20,
    ],
    [
      'a reset adds what came after it',
      [
        [10_000, 100],
        [20_000, 7],
        [30_000, 9],
      ],
      (9 * (20 + 5 + 5)) / 20,
    ],
  ] as const)('gives %s', (_, samples, expected) => {
    // The window is (5 s, 35 s].
    const increase = increaseOf(samples, 35_000, 30_000)
    if (expected === undefined) expect(increase).toBeUndefined()
    else expect(increase).toBeCloseTo(expected, 9)
  })
})

describe('what only some versions of Prometheus know', () => {
  it('cuts answers at the limit and says so', async () => {
    const two = [series({ a: '1' }, [10, 1]), series({ a: '2' }, [10, 1])]
    const { body } = await ask(two, 'm', 10, { limit: '1' })
    expect(body.data.result).toHaveLength(1)
    expect(body.warnings).toEqual(['results truncated due to limit'])
    expect((await ask(two, 'm', 10, { limit: '2' })).body.warnings).toBeUndefined()
    expect((await ask(two, 'm', 10, { limit: '-1' })).status).toBe(400)
  })

  it('takes a number of seconds for a duration', async () => {
    expect((await ask([series({}, [10, 1])], 'm[5]', 12)).body.data.result).toHaveLength(1)
  })
})

describe('what the emulator does not know', () => {
  it.each([
    'quantile_over_time(0.9, m[1m])',
    'avg(m)',
    'm @ 5',
    'm[5m:1m]',
    'm * on (a) m',
    'm and m',
    'm unless m',
    '{"m"}',
    'rate(m[5m:1m])',
  ])('refuses %s as bad data rather than to guess', async (query) => {
    const { status, body } = await ask([series({}, [10, 1])], query, 10)
    expect(status).toBe(400)
    expect(body).toMatchObject({ status: 'error', errorType: 'bad_data' })
  })

  it.each(['m{a=~"(?=x)"}', 'm{a=~"(a)\\\\1"}', 'm{a=~"[z-a]"}', 'm{a=~"*"}'])(
    'refuses the pattern of %s as RE2 does',
    async (query) => {
      const { status, body } = await ask([series({ a: 'x' }, [10, 1])], query, 10)
      expect(status).toBe(400)
      expect(body.error).toContain('error parsing regexp: ')
    },
  )

  it.each(['m{a=~"(?i)XY"}', 'm{a=~"(?P<first>x)y"}', 'm{a=~"x."}', 'm{a!~"x"}'])(
    'takes the pattern of %s',
    async (query) => {
      expect((await ask([series({ a: 'xy' }, [10, 1])], query, 10)).body.data.result).toHaveLength(1)
    },
  )
})
