/** Where the Prometheus emulator gets its samples, and what a series is to it. */

/** Label names to values, `__name__` included. A label with an empty value is a label that is not there. */
export type Labels = Readonly<Record<string, string>>

/** `null` in place of a value is a staleness marker: the series ended at this time. */
export type Sample = readonly [timeMs: number, value: number | null]

export interface Series {
  readonly labels: Labels
  /** In the order of time, no time twice. */
  readonly samples: readonly Sample[]
}

export type MatchOperator = '=' | '!=' | '=~' | '!~'

/** One condition of a selector. The metric's name is the label `__name__`. */
export interface LabelMatcher {
  readonly label: string
  readonly operator: MatchOperator
  readonly value: string
  /** Whether a label's value passes; ask with '' for a label that is not there. */
  passes(value: string): boolean
}

export interface SeriesSource {
  /** The series that pass every matcher, with their samples of [fromMs, toMs]. Series without samples may be left out. */
  series(matchers: readonly LabelMatcher[], fromMs: number, toMs: number): readonly Series[]
}

/** Whether a set of labels passes every matcher. */
export function passesAll(matchers: readonly LabelMatcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.passes(labels[matcher.label] ?? ''))
}

/** A source that holds exactly these series. */
export function fixedSeries(all: readonly Series[]): SeriesSource {
  return {
    series: (matchers, fromMs, toMs) =>
      all
        .filter((series) => passesAll(matchers, series.labels))
        .map(({ labels, samples }) => ({
          labels,
          samples: samples.filter(([timeMs]) => timeMs >= fromMs && timeMs <= toMs),
        })),
  }
}
