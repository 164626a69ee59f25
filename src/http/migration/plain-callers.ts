import type { Finding } from '../../mesh/lint/finding.ts'
import { found } from '../../mesh/osm/migration/rules.ts'
import { newlyStrict } from '../../mesh/strict-places.ts'
import type { ServiceDocument } from '../../model/documents.ts'
import { describePlainCallers, findPlainCallers } from '../../ports/plain-callers.ts'
import { allClusters } from '../../services/check-references.ts'
import type { HttpDeps } from '../http-deps.ts'

/** A service as it is registered, if it is, and as it would be. */
export interface Becoming {
  readonly before: ServiceDocument | undefined
  readonly after: ServiceDocument
}

/**
 * Callers that strict mutual TLS would refuse where it begins with a migration: a PUT of the same service would be refused for them. What
 * is not known is told once for all.
 */
export async function plainCallerFindings(
  deps: Pick<HttpDeps, 'store' | 'clock' | 'metrics'>,
  services: readonly Becoming[],
): Promise<readonly Finding[]> {
  const clusters = await allClusters(deps.store)
  const places = services.flatMap(({ before, after }) => newlyStrict(before, after, clusters))
  const looks = await findPlainCallers(deps.metrics, places, deps.clock.now())
  const seen = looks.filter(({ kind }) => kind === 'seen')
  const [unknown, ...others] = looks.filter(({ kind }) => kind === 'unknown')
  const words = unknown && describePlainCallers(unknown)
  const more = others.length > 0 ? `; nor of ${others.length} other placements` : ''
  return [
    ...seen.map((one) => found('PlainCallers', `service ${one.service}`, `${describePlainCallers(one)}.`)),
    ...(unknown ? [found('PlainCallersUnknown', `cluster ${unknown.cluster}`, `${words}${more}.`)] : []),
  ]
}
