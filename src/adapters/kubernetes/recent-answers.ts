import type { Clock } from '../../ports/clock.ts'

type Recent = <T>(question: unknown, maxAgeMs: number | undefined, ask: () => Promise<T>) => Promise<T>

interface Answer {
  readonly askedMs: number
  readonly maxAgeMs: number
  readonly value: Promise<unknown>
}

/** What is kept of the answers of several clusters. */
export type KeptAnswers = Set<Map<string, Answer>>

/**
 * Shares answers between those who content themselves with one that is a little old: many services that are released at
 * once, and the passes of one decision after the other. An answer is as old as its question, and one that failed is not
 * shared. Who names no age asks anew, and nobody gets an older answer after that. With
 * `kept` a question to any cluster frees what is too old of all of them, for some are asked once a day.
 */
export function recentAnswers(clock: Clock, kept: KeptAnswers = new Set()): Recent {
  const answers = new Map<string, Answer>()
  return <T>(question: unknown, maxAgeMs: number | undefined, ask: () => Promise<T>): Promise<T> => {
    const askedMs = clock.now()
    for (const some of kept) {
      dropOld(some, askedMs)
      if (some.size === 0) kept.delete(some)
    }
    const key = JSON.stringify(question)
    const known = answers.get(key)
    if (known && maxAgeMs !== undefined && askedMs - known.askedMs <= maxAgeMs) return known.value as Promise<T>
    const value = ask()
    const keptMs = maxAgeMs ?? known?.maxAgeMs
    if (keptMs !== undefined) {
      answers.set(key, { askedMs, maxAgeMs: keptMs, value })
      kept.add(answers)
      value.catch(() => answers.delete(key))
    }
    return value
  }
}

function dropOld(answers: Map<string, Answer>, now: number): void {
  for (const [key, { askedMs, maxAgeMs }] of answers) if (now - askedMs > maxAgeMs) answers.delete(key)
}
