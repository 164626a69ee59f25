import type { Clock } from '../../ports/clock.ts'

type Recent = <T>(question: unknown, maxAgeMs: number | undefined, ask: () => Promise<T>) => Promise<T>

interface Answer {
  readonly askedMs: number
  readonly maxAgeMs: number
  readonly value: Promise<unknown>
}

/**
 * Shares answers between those who content themselves with one that is a little old: many services that are released at
 * once, and the passes of one decision after the other. An answer is as old as its question, and one that failed is not
 * shared. Who names no age asks anew, and nobody gets an older answer after that.
 */
export function recentAnswers(clock: Clock): Recent {
  const answers = new Map<string, Answer>()
  return <T>(question: unknown, maxAgeMs: number | undefined, ask: () => Promise<T>): Promise<T> => {
    const askedMs = clock.now()
    for (const [key, answer] of answers) if (askedMs - answer.askedMs > answer.maxAgeMs) answers.delete(key)
    const key = JSON.stringify(question)
    const known = answers.get(key)
    if (known && maxAgeMs !== undefined && askedMs - known.askedMs <= maxAgeMs) return known.value as Promise<T>
    const value = ask()
    const keptMs = maxAgeMs ?? known?.maxAgeMs
    if (keptMs !== undefined) {
      answers.set(key, { askedMs, maxAgeMs: keptMs, value })
      value.catch(() => answers.delete(key))
    }
    return value
  }
}
