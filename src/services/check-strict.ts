import { newlyStrict } from '../mesh/strict-places.ts'
import type { ServiceDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { findPlainCallers, plainCallersFailure, plainCallersWarnings } from '../ports/plain-callers.ts'
import type { Store } from '../ports/store.ts'
import { allClusters } from './check-references.ts'

/**
 * May mutual TLS become strict where a change of a service makes it so? Not while callers are seen that come without it. The value is what
 * the caller should know. Without metrics nothing is known, and that is told.
 */
export async function checkStrict(
  deps: { readonly store: Store; readonly clock: Clock; readonly metrics: MetricsSources },
  before: ServiceDocument | undefined,
  after: ServiceDocument,
): Promise<Result<readonly string[]>> {
  const places = newlyStrict(before, after, await allClusters(deps.store))
  if (places.length === 0) return succeed([])
  const found = await findPlainCallers(deps.metrics, places, deps.clock.now())
  const failure = plainCallersFailure(found, { waive: after.spec.waive, pointer: '/security/mtls' })
  return failure ? { ok: false, failure } : succeed(plainCallersWarnings(found))
}
