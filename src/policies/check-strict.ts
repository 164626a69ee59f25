import { newlyStrict } from '../mesh/strict-places.ts'
import type { PolicyDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { holdsFor, layersAfter } from '../model/policy/layers.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { findPlainCallers, plainCallersFailure, plainCallersWarnings } from '../ports/plain-callers.ts'
import type { Store } from '../ports/store.ts'
import { readFleet } from './observe-reach.ts'

/**
 * May mutual TLS become strict where a policy makes it so? As of one service: not while callers are seen that come without it. The value is
 * what the caller should know.
 */
export async function checkStrict(
  deps: { readonly store: Store; readonly clock: Clock; readonly metrics: MetricsSources },
  policy: PolicyDocument,
): Promise<Result<readonly string[]>> {
  if (policy.spec.security?.mtls !== 'strict') return succeed([])
  const [{ services, clusters }, policies] = await Promise.all([readFleet(deps.store), deps.store.all('policy')])
  const after = [...policies.filter(({ name }) => name !== policy.name), policy].map(({ spread: _, ...one }) => one)
  const places = services
    .filter((service) => service.deletingAt === undefined && holdsFor(policy, service))
    .flatMap((service) => {
      const own = clusters.filter(({ name }) => Object.hasOwn(service.targets, name))
      const next = { ...service, layers: layersAfter(undefined, service, own, after) }
      return newlyStrict(service, next, own)
    })
  const found = await findPlainCallers(deps.metrics, places, deps.clock.now())
  const failure = plainCallersFailure(found, { waive: policy.spec.waive, pointer: '/security/mtls' })
  return failure ? { ok: false, failure } : succeed(plainCallersWarnings(found))
}
