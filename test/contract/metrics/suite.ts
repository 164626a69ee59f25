import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MetricsSource, Series, ValueSource } from '../../../src/ports/metrics.ts'
import { START } from '../prometheus/fixture.ts'

export interface OpenedMetrics {
  /** Cluster `east` on a Prometheus that holds FIXTURE of ../prometheus and nothing else. */
  readonly source: MetricsSource & ValueSource
  /** How its errors call it. */
  readonly system: string
  /** Labels that it adds to every series. */
  readonly added?: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** What a source of metrics keeps to, on the emulator and on a real Prometheus of any version. */
export function metricsContract(name: string, open: () => Promise<OpenedMetrics>): void {
  describe(`metrics of ${name}`, () => {
    let opened: OpenedMetrics
    let source: MetricsSource & ValueSource
    beforeAll(async () => {
      opened = await open()
      source = opened.source
    })
    afterAll(() => opened.close())

    it('gives the raw samples of a window, its start left out and its end counted in', async () => {
      const found = await source.samples('requests_total{pod="a"}', at(60), 30_000)
      expect(found).toEqual([
        { labels: { ...labels('a', '200'), ...opened.added }, samples: samplesOf([45, 30], [60, 40]) },
      ])
      const before = await source.samples('requests_total{pod="a"}', at(59.999), 30_000)
      expect(before[0]?.samples).toEqual(samplesOf([30, 20], [45, 30]))
    })

    it('cuts time into windows that have every sample once', async () => {
      const parts = []
      for (const end of [100, 170, 300])
        parts.push(await source.samples('requests_total', at(end), (end === 300 ? 130 : 70) * 1000))
      const whole = await source.samples('requests_total', at(300), 270_000)
      expect(joined(parts.flat())).toEqual(joined(whole))
      expect(joined(whole)['b 503']).toHaveLength(7)
    })

    it('takes windows of less than a second', async () => {
      const found = await source.samples('requests_total{pod="a"}', at(60.25), 500)
      expect(found.flatMap(({ samples }) => samples)).toEqual(samplesOf([60, 40]))
    })

    it('gives nothing where there is nothing', async () => {
      expect(await source.samples('absent_total{a="b"}', at(60), 30_000)).toEqual([])
      expect(await source.samples('requests_total', at(-3600), 30_000)).toEqual([])
    })

    it('gives what is no ordinary number as it is, and labels with odd characters', async () => {
      const odd = await source.samples('odd', at(60), 10_000)
      const values = Object.fromEntries(odd.map(({ labels, samples }) => [labels.kind, samples.at(-1)?.[1]]))
      expect(values).toEqual({ nan: Number.NaN, infinite: -Infinity, large: 1.5e21, small: 2.5e-9, text: 0.1 })
      expect(odd.find(({ labels }) => labels.kind === 'text')?.labels.text).toBe('a "b" \\ c')
    })

    it('takes a selector that is longer than a URL may be', async () => {
      const pods = Array.from({ length: 2000 }, (_, number) => `pod-${number}`)
      const found = await source.samples(`requests_total{pod=~"a|${pods.join('|')}"}`, at(60), 15_000)
      expect(found.map(({ labels }) => labels.pod)).toEqual(['a'])
    })

    const valuesAt = (query: string, seconds: number) => source.values(query, { fromMs: at(0), toMs: at(seconds) })

    it('gives the numbers of a query at the end of a span', async () => {
      expect(await valuesAt('sum(requests_total{pod="a"})', 100)).toEqual([60])
      expect(await valuesAt('sum(increase(requests_total{pod="a"}[90s]))', 105)).toEqual([expect.closeTo(60, 6)])
      expect(await valuesAt('sum(requests_total{pod="a"}) / sum(requests_total{pod="b", code="200"})', 100)).toEqual([
        expect.closeTo(60 / 280, 12),
      ])
      expect(await valuesAt('histogram_quantile(0.5, sum by (le) (took_bucket))', 100)).toEqual([
        expect.closeTo(0.5 + 2 * (10 / 20), 12),
      ])
    })

    it('gives a number that stands by itself', async () => {
      expect(await valuesAt('2 * 3', 100)).toEqual([6])
      expect(await valuesAt('sum(nothing) or vector(0)', 100)).toEqual([0])
    })

    it('gives what is no ordinary number as it is, and nothing where there is nothing', async () => {
      expect(await valuesAt('sum(odd{kind="nan"})', 60)).toEqual([Number.NaN])
      expect(await valuesAt('sum(odd{kind="infinite"})', 60)).toEqual([-Infinity])
      expect(await valuesAt('vector(0) / 0', 60)).toEqual([Number.NaN])
      expect(await valuesAt('sum(nothing)', 60)).toEqual([])
    })

    it('gives more than one number where a query gives more than one', async () => {
      expect((await valuesAt('requests_total', 100)).length).toBeGreaterThan(1)
    })

    it.each(['requests_total[1m]', '"text"'])(
      'says of a query that gives no numbers that it is wrong: %s',
      async (query) => {
        const wrong = await valuesAt(query, 60).catch((error: unknown) => error)
        expect(wrong).toMatchObject({ kind: 'invalid', system: opened.system, reason: 'NotANumber' })
      },
    )

    it('says that a query is wrong, in the words of Prometheus or before it is asked', async () => {
      const wrong = await valuesAt('sum(requests_total{pod="a"}', 60).catch((error: unknown) => error)
      expect(wrong).toMatchObject({ name: 'PortError', kind: 'invalid', system: opened.system })
    })

    it('says that a selector is wrong, in the words of Prometheus', async () => {
      const wrong = await source.samples('requests_total{pod}', at(60), 30_000).catch((error: unknown) => error)
      expect(wrong).toMatchObject({ name: 'PortError', kind: 'invalid', system: opened.system })
      expect((wrong as Error).message).toContain('parse error')
    })
  })
}

function at(seconds: number): number {
  return (START + seconds) * 1000
}

function labels(pod: string, code: string): Record<string, string> {
  return { __name__: 'requests_total', pod, code }
}

function samplesOf(...pairs: readonly [seconds: number, value: number][]) {
  return pairs.map(([seconds, value]) => [at(seconds), value])
}

function joined(series: readonly Series[]): Record<string, (readonly [number, number])[]> {
  const found: Record<string, (readonly [number, number])[]> = {}
  for (const { labels, samples } of series) {
    const key = `${labels.pod} ${labels.code}`
    found[key] = [...(found[key] ?? []), ...samples]
  }
  return found
}
