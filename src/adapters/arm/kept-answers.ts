import type { Clock } from '../../ports/clock.ts'
import { isPortError } from '../../ports/port-error.ts'

/** Azure's limit: one read a second and cluster. */
const LEAST_GAP_MS = 1000

export interface KeptTimes {
  /** How old an answer may be for callers who do not say. */
  readonly keepMs: number
  /** How long a failure is given again before anybody is asked anew. */
  readonly keepFailureMs: number
}

interface Kept<T> {
  readonly askedAt: number
  readonly answer: Promise<T>
  readonly state: 'asking' | 'answered' | 'failed'
}

/**
 * Keeps the answers to questions about things, by key, failures too: one question at a time, and never two of a key
 * within a second. `maxAgeMs` is how old an answer may be. What was throttled is not kept: `pauses` sees to that.
 */
export function keptAnswers<T>(
  clock: Clock,
  { keepMs, keepFailureMs }: KeptTimes,
): (key: string, maxAgeMs: number | undefined, ask: () => Promise<T>) => Promise<T> {
  const kept = new Map<string, Kept<T>>()
  return (key, maxAgeMs = keepMs, ask) => {
    const askedAt = clock.now()
    const before = kept.get(key)
    if (before !== undefined) {
      const most = Math.max(LEAST_GAP_MS, before.state === 'failed' ? Math.min(keepFailureMs, maxAgeMs) : maxAgeMs)
      if (before.state === 'asking' || askedAt - before.askedAt < most) return before.answer
    }
    const answer = ask()
    const keep = (state: Kept<T>['state']) => kept.set(key, { askedAt, answer, state })
    keep('asking')
    answer.then(
      () => keep('answered'),
      (error: unknown) => (isPortError(error, 'throttled') ? kept.delete(key) : keep('failed')),
    )
    return answer
  }
}
