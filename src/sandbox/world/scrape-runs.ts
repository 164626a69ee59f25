/** `gone`: the target was no longer there to be scraped. */
export type ScrapeState = 'up' | 'down' | 'gone'

/** Scrapes in even steps with one result, both ends included. */
export interface ScrapeRun {
  readonly state: ScrapeState
  fromMs: number
  toMs: number
  readonly stepMs: number
}

/** Adds the result of a scrape. A scrape that is late, as after a stop of the sandbox, begins a new run. */
export function addScrape(runs: ScrapeRun[], state: ScrapeState, timeMs: number, stepMs: number): void {
  const last = runs.at(-1)
  if (last?.state === state && last.stepMs === stepMs && timeMs - last.toMs === stepMs) last.toMs = timeMs
  else runs.push({ state, fromMs: timeMs, toMs: timeMs, stepMs })
}

/** Drops the scrapes before a time. */
export function forgetScrapes(runs: ScrapeRun[], timeMs: number): void {
  const kept = runs.findIndex((run) => run.toMs >= timeMs)
  runs.splice(0, kept === -1 ? runs.length : kept)
  const first = runs[0]
  if (first) first.fromMs += stepsTo(first, timeMs) * first.stepMs
}

function stepsTo(run: ScrapeRun, timeMs: number): number {
  return Math.max(0, Math.ceil((timeMs - run.fromMs) / run.stepMs))
}

/** The scrapes of [fromMs, toMs] in order; of a run that is not up only the first, for the staleness marker. */
export function* scrapesIn(
  runs: readonly ScrapeRun[],
  fromMs: number,
  toMs: number,
): Iterable<readonly [timeMs: number, state: ScrapeState, first: boolean]> {
  for (const run of runs) {
    if (run.fromMs > toMs) return
    for (let at = run.fromMs + stepsTo(run, fromMs) * run.stepMs; at <= Math.min(run.toMs, toMs); at += run.stepMs) {
      yield [at, run.state, at === run.fromMs]
    }
  }
}
