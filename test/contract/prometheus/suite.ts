import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BAD, BAD_PARAMETERS, BROKEN, type Found, INSTANT, NOT_COMPUTABLE, REFUSED } from './cases.ts'
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
