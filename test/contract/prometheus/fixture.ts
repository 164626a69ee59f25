import type { Labels, Series } from '../../../src/sandbox/emulators/prometheus/series-source.ts'

/** The first sample's time, in seconds; the last is five minutes later. Samples come every 15 s. */
export const START = 1_700_000_000

/** What both Prometheus and the emulator hold while the suite asks them. */
export const FIXTURE: readonly Series[] = [
  // Ten more every 15 s, from zero.
  counter({ pod: 'a', code: '200' }, (n) => 10 * n),
  // Starts at 100, thirty more every 15 s; the process restarts before sample 10 and counts from nothing.
  counter({ pod: 'b', code: '200' }, (n) => (n < 10 ? 100 + 30 * n : 30 * (n - 10))),
  // A first failure two and a half minutes in; silent after four.
  counter({ pod: 'b', code: '503' }, (n) => (n >= 10 && n <= 16 ? 2 * (n - 9) : undefined)),
  // The same labels under another name.
  gauge({ __name__: 'errors_total', pod: 'a', code: '200' }, () => 0),
  gauge({ __name__: 'up', job: 'pods', instance: 'a:15020' }, () => 1),
  gauge({ __name__: 'up', job: 'pods', instance: 'b:15020' }, (n) => (n === 10 ? 0 : 1)),
  // A histogram: of every 40 ten took up to 0.5, twenty more up to 2.5, ten longer.
  gauge({ __name__: 'took_bucket', le: '0.5' }, (n) => 10 * n),
  gauge({ __name__: 'took_bucket', le: '2.5' }, (n) => 30 * n),
  gauge({ __name__: 'took_bucket', le: '+Inf' }, (n) => 40 * n),
  gauge({ __name__: 'odd', kind: 'nan' }, () => Number.NaN),
  gauge({ __name__: 'odd', kind: 'infinite' }, () => Number.NEGATIVE_INFINITY),
  gauge({ __name__: 'odd', kind: 'large' }, () => 1.5e21),
  gauge({ __name__: 'odd', kind: 'small' }, () => 2.5e-9),
  gauge({ __name__: 'odd', kind: 'text', text: 'a "b" \\ c' }, () => 0.1),
]

function counter(labels: Labels, valueAt: (n: number) => number | undefined): Series {
  return gauge({ __name__: 'requests_total', ...labels }, valueAt)
}

function gauge(labels: Labels, valueAt: (n: number) => number | undefined): Series {
  const samples = Array.from({ length: 21 }, (_, n) => [(START + 15 * n) * 1000, valueAt(n)] as const)
  return { labels, samples: samples.filter((sample): sample is [number, number] => sample[1] !== undefined) }
}

/** Series as an OpenMetrics text with timestamps, for `promtool tsdb create-blocks-from openmetrics`. */
export function openMetrics(all: readonly Series[]): string {
  const lines = all.flatMap(({ labels, samples }) => {
    const { __name__: name, ...rest } = labels
    const pairs = Object.entries(rest).map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    return samples.map(([timeMs, value]) => `${name}{${pairs.join(',')}} ${showNumber(value)} ${timeMs / 1000}`)
  })
  return `${lines.join('\n')}\n# EOF\n`
}

function showNumber(value: number | null): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
