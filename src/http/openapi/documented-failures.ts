import { FAILURES, type FailureCode } from '../../model/failure.ts'
import type { Route } from '../route.ts'

/** Every code that an operation may fail with, by status: its own, and what follows from how it is routed and checked. */
export function documentedFailures(route: Route): ReadonlyMap<number, readonly FailureCode[]> {
  const codes: readonly FailureCode[] = [
    ...(route.rawBody ? [] : (['InvalidRequest'] as const)),
    ...(route.access === 'open' ? [] : (['Unauthenticated', 'Forbidden'] as const)),
    ...(route.body ? (['InvalidJson', 'TooLarge', 'UnsupportedMediaType'] as const) : []),
    ...(route.rawBody ? (['TooLarge'] as const) : []),
    ...(route.conditional ? (['PreconditionFailed'] as const) : []),
    ...(route.repeatable ? (['IdempotencyMismatch'] as const) : []),
    ...(route.failures ?? []),
    'Throttled',
    'InternalError',
    'Unavailable',
  ]
  const byStatus = new Map<number, FailureCode[]>()
  for (const code of new Set(codes)) {
    const { status } = FAILURES[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return new Map([...byStatus].sort(([a], [b]) => a - b))
}
