import type { Clock } from '../../ports/clock.ts'

type Recent = <T>(question: unknown, maxAgeMs: number | undefined, ask: () => Promise<T>) => Promise<T>

interface Answer {
  readonly askedMs: number
  readonly maxAgeMs: number
  readonly value: Promise<unknown>
}

/**
 * Shares answers between those who content themselves with one that is a little old: many services that are released at
 * once, and the passes of one decision after the other. An answer is as old as its question; one that failed is not shared.
 * Who names no age asks anew, and shares nothing.
 */
export function recentAnswers(clock: Clock): Recent {
  const answers = new Map<string, Answer>()
  return <T>(question: unknown, maxAgeMs: number | undefined, ask: () => Promise<T>): Promise<T> => {
    if (maxAgeMs === undefined) return ask()
    const askedMs = clock.now()
    for (const [key, answer] of answers) if (askedMs - answer.askedMs > answer.maxAgeMs) answers.delete(key)
    const key = JSON.stringify(question)
    const known = answers.get(key)
    if (known && askedMs - known.askedMs <= maxAgeMs) return known.value as Promise<T>
    const value = ask()
    answers.set(key, { askedMs, maxAgeMs, value })
    value.catch(() => answers.delete(key))
    return value
  }
}
