import type { CaRotation } from './ca-rotation.ts'
import type { TrustState } from './trust.ts'

const MOST_NEW = 10

/**
 * Do more connections fail than before the rotation began? Failures that it brought about are no measure for those that follow.
 * Undefined: they do not, or it is not known. Pure.
 */
export function risenFailures(
  { failures }: Pick<TrustState, 'failures'>,
  { failuresBefore }: Pick<CaRotation, 'failuresBefore'>,
): { readonly now: number; readonly before: number } | undefined {
  const before = failuresBefore ?? failures?.before ?? 0
  return failures && failures.now > 2 * before + MOST_NEW ? { now: failures.now, before } : undefined
}
