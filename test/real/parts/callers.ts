import { expect } from 'vitest'
import type { Mesh } from './mesh.ts'
import { within } from './rollouts.ts'
import { type Answer, countAnswers, type Headers } from './traffic.ts'
import { until } from './wait.ts'
import { type WatchedLoad, watchLoad } from './watched-load.ts'

/** From one moment to another, now when left out: epoch milliseconds. */
export interface Span {
  readonly fromMs: number
  readonly toMs?: number
}

/** Two steady loads on one mesh: callers who ask for a candidate by header and cookie, and all others. */
export interface Callers {
  readonly asking: WatchedLoad
  readonly others: WatchedLoad
  /** Which versions answered in that time those who asked, and the others: `['v2', 'v1 and v2']`. Fails on too few answers. */
  answeredBy(span: Span): readonly string[]
  /** How many requests of each were sent in that time. */
  sentIn(span: Span): readonly number[]
  /** Resolves when so many more answers have come to each of the two. */
  more(count: number): Promise<void>
  /** The answers to both since `beginTest`. */
  ofThisTest(): readonly Answer[]
  beginTest(): void
  /** As with one load: fails if a request was lost. */
  endTest(): Promise<void>
  stop(): Promise<void>
}

/** Starts both loads. */
export function startCallers(mesh: Mesh, asked: Headers): Callers {
  const [asking, others] = [watchLoad(mesh, 50, asked), watchLoad(mesh, 80)]
  const loads = [asking, others]
  const sentIn = ({ fromMs, toMs = Date.now() }: Span) => loads.map(({ answers }) => within(answers, { fromMs, toMs }))
  return {
    asking,
    others,
    answeredBy: (span) =>
      sentIn(span).map((answers) => {
        const { total, byVersion } = countAnswers(answers)
        expect(total).toBeGreaterThan(100)
        return Object.keys(byVersion).sort().join(' and ')
      }),
    sentIn: (span) => sentIn(span).map(({ length }) => length),
    async more(count) {
      const goals = loads.map(({ answers }) => ({ answers, goal: answers.length + count }))
      await until(`${count} more answers have come to each`, 30_000, () =>
        goals.every(({ answers, goal }) => answers.length >= goal),
      )
    },
    ofThisTest: () => loads.flatMap((load) => load.ofThisTest()),
    beginTest() {
      for (const load of loads) load.beginTest()
    },
    async endTest() {
      for (const load of loads) await load.endTest()
    },
    async stop() {
      await Promise.all(loads.map((load) => load.stop()))
    },
  }
}
