import { type Finding, finding } from '../mesh/lint/finding.ts'
import { newlyStrict, strictPlaces } from '../mesh/strict-places.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { describePlainCallers, findPlainCallers } from '../ports/plain-callers.ts'

/**
 * By cluster, callers without mutual TLS where it is strict, or is to be: an error where a PUT would be refused for them, a warning where that
 * is waived, or where they came after it was written.
 */
export async function strictFindings(
  deps: { readonly clock: Clock; readonly metrics: MetricsSources },
  before: ServiceDocument | undefined,
  service: ServiceDocument,
  clusters: readonly ClusterDocument[],
): Promise<ReadonlyMap<string, readonly Finding[]>> {
  const places = strictPlaces(service, clusters)
  if (places.length === 0) return new Map()
  const isWaived = service.spec.waive?.includes('PlainCallers') ?? false
  const becoming = new Set(newlyStrict(before, service, clusters).map(({ cluster }) => cluster.name))
  const found = await findPlainCallers(deps.metrics, places, deps.clock.now())
  return new Map(
    found.map((one) => {
      const words = describePlainCallers(one)
      // What cannot be known of what is strict already is no news.
      if (words === undefined || (one.kind === 'unknown' && !becoming.has(one.cluster))) return [one.cluster, []]
      const message = `${words[0]?.toUpperCase()}${words.slice(1)}.`
      const told = finding(one.kind === 'seen' ? 'PlainCallers' : 'PlainCallersUnknown', message, {
        field: '/security/mtls',
      })
      const isRefused = one.kind === 'seen' && becoming.has(one.cluster) && !isWaived
      return [one.cluster, [isRefused ? told : { ...told, severity: 'warning' as const }]]
    }),
  )
}
