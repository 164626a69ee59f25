/**
 * One counter as the metrics source stores it, from a range selector: samples of [epoch milliseconds, value], in any
 * order.
 */
export interface CounterSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly (readonly [tMs: number, value: number])[]
  /**
   * Earliest time at which this series' target is known to have been read; undefined when not known. See
   * `withTargets`.
   */
  readonly targetSinceMs?: number | undefined
}

/** A stretch of time without its begin: after `fromMs`, up to and with `toMs`. Such windows join without overlap. */
export interface CountWindow {
  readonly fromMs: number
  readonly toMs: number
}

/** By how much one counter rose in a window. */
export interface SeriesIncrease {
  readonly labels: Readonly<Record<string, string>>
  readonly increase: number
}

/** What a window's samples come to. */
export interface WindowIncrease {
  readonly series: readonly SeriesIncrease[]
  /** Time of the newest readable sample up to the window's end; undefined when there is none (blind). */
  readonly lastSampleMs: number | undefined
  /**
   * Samples in the window that are no counter values: NaN (also what a stale marker reads as), infinite, negative.
   * They are left out.
   */
  readonly unreadable: number
  /**
   * Series whose first value could not be counted, for nothing says from where it rose. It is the base of what comes
   * next.
   */
  readonly withoutBase: number
  /** Nothing was left out: no unreadable sample, no series without base. */
  readonly complete: boolean
}

/**
 * By how much each counter rose within the window, from raw samples. Every rise belongs to the time of the sample
 * that shows it, so windows that follow one another add up exactly to the long window, whatever scrapes were missed
 * (Prometheus' own increase() extrapolates and does not add up). The caller asks for samples from well before
 * `fromMs`: the last one there is the base.
 *
 * - A value lower than the one before is a restart of the process: it counts from zero.
 * - The first sample of a series, when none lies before it, counts from zero only if its target had been read before
 *   without that series; else it is only a base (the counter may have risen long before we looked).
 * - Of samples with the same time the highest counts.
 */
export function countIncrease(series: readonly CounterSeries[], window: CountWindow): WindowIncrease {
  let lastSampleMs: number | undefined
  let unreadable = 0
  let withoutBase = 0
  const increases = series.map(({ labels, samples, targetSinceMs }): SeriesIncrease => {
    const seen = samples.filter(([tMs]) => tMs <= window.toMs)
    const readable = seen.filter(([, value]) => isCounterValue(value)).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    unreadable += seen.filter(([tMs, value]) => tMs > window.fromMs && !isCounterValue(value)).length
    const first = readable[0]
    const last = readable.at(-1)
    if (first === undefined || last === undefined) return { labels, increase: 0 }
    lastSampleMs = Math.max(lastSampleMs ?? last[0], last[0])
    const startsAtZero = targetSinceMs !== undefined && targetSinceMs < first[0]
    if (!startsAtZero && first[0] > window.fromMs) withoutBase++
    return { labels, increase: sumOfRises(readable, startsAtZero ? 0 : first[1], window.fromMs) }
  })
  const complete = unreadable === 0 && withoutBase === 0
  return { series: increases, lastSampleMs, unreadable, withoutBase, complete }
}

function isCounterValue(value: number): boolean {
  return Number.isFinite(value) && value >= 0
}

/**
 * The rises shown by samples after `fromMs`. Samples are sorted by time, then value; of those with the same time the
 * last counts.
 */
function sumOfRises(samples: CounterSeries['samples'], base: number, fromMs: number): number {
  let before = base
  let sum = 0
  for (const [index, [tMs, value]] of samples.entries()) {
    if (samples[index + 1]?.[0] === tMs) continue
    if (tMs > fromMs) sum += value >= before ? value - before : value
    before = value
  }
  return sum
}

/**
 * Fills in `targetSinceMs`: since when each series' target (the pod, by the values of `targetLabels`) is known to
 * have been read. It is known from any other series of the target, and from `scrapes`: series such as `up`, whose
 * samples of 1 say that the target was read at that time, though it may have shown no counter yet.
 */
export function withTargets(
  series: readonly CounterSeries[],
  targetLabels: readonly string[],
  scrapes: readonly CounterSeries[] = [],
): CounterSeries[] {
  const targetOf = ({ labels }: CounterSeries) => JSON.stringify(targetLabels.map((name) => labels[name] ?? null))
  const since = new Map<string, number>()
  const note = (of: CounterSeries, isRead: (value: number) => boolean) => {
    const target = targetOf(of)
    for (const [tMs, value] of of.samples) {
      if (isRead(value)) since.set(target, Math.min(since.get(target) ?? tMs, tMs))
    }
  }
  for (const one of series) note(one, isCounterValue)
  for (const one of scrapes) note(one, (value) => value === 1)
  return series.map((one) => ({ ...one, targetSinceMs: since.get(targetOf(one)) }))
}
