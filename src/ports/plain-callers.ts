import type { ClusterSpec } from '../model/cluster.ts'
import { type Failure, fail } from '../model/failure.ts'
import { formatDuration } from '../model/names.ts'
import type { MetricsSources, Series } from './metrics.ts'
import { isPortError } from './port-error.ts'

/** Requests of this time tell who calls; what calls less often is not seen. */
export const LOOK_BACK_MS = 3_600_000

/** A service on a cluster, and a selector for its requests that came without the mesh's mutual TLS. */
export interface LookedAt {
  readonly service: string
  readonly cluster: { readonly name: string; readonly spec: ClusterSpec }
  /** Undefined: nobody counts them. */
  readonly selector: string | undefined
  /** A selector for all its requests: that none came without mutual TLS is known only where some are counted. Absent: nobody asks. */
  readonly counted?: string | undefined
  /** Does it have ports of TCP? Connections there are in no count of requests. */
  readonly hasTcp?: boolean
}

/** What was seen of callers without mutual TLS. */
export type PlainCallers =
  | { readonly kind: 'none'; readonly service: string; readonly cluster: string }
  /** `callers`: `shop/cart`, as far as the mesh can name them. */
  | {
      readonly kind: 'seen'
      readonly service: string
      readonly cluster: string
      readonly requests: number
      readonly callers: readonly string[]
    }
  | { readonly kind: 'unknown'; readonly service: string; readonly cluster: string; readonly why: string }

/** Most places that one write looks at, and how many at a time. */
const MOST = 50
const AT_ONCE = 5
const MOST_WARNINGS = 20

/** Looks at the metrics of each place; never throws. Those beyond `MOST` are not known. */
export async function findPlainCallers(
  metrics: MetricsSources,
  places: readonly LookedAt[],
  nowMs: number,
): Promise<readonly PlainCallers[]> {
  const found: PlainCallers[] = []
  for (let at = 0; at < Math.min(places.length, MOST); at += AT_ONCE) {
    const some = places.slice(at, Math.min(at + AT_ONCE, MOST))
    found.push(...(await Promise.all(some.map((place) => look(metrics, place, nowMs)))))
  }
  const rest = places.slice(MOST).map((place) => unknown(place, `only ${MOST} placements are looked at in one write`))
  return [...found, ...rest]
}

async function look(metrics: MetricsSources, place: LookedAt, nowMs: number): Promise<PlainCallers> {
  if (place.selector === undefined) return unknown(place, 'its mesh counts nobody who comes without mutual TLS')
  try {
    const source = await metrics.open(place.cluster)
    if (!source) return unknown(place, 'the cluster names no metrics')
    const series = await source.samples(place.selector, nowMs, LOOK_BACK_MS)
    const counted = series.map((one) => ({ caller: callerOf(one), requests: increaseOf(one, nowMs) }))
    const requests = counted.reduce((sum, one) => sum + one.requests, 0)
    const where = { service: place.service, cluster: place.cluster.name }
    if (requests <= 0 && place.hasTcp) return unknown(place, 'connections to its TCP ports are not counted')
    if (requests <= 0 && place.counted !== undefined) {
      const all = await source.samples(place.counted, nowMs, LOOK_BACK_MS)
      if (all.length === 0) return unknown(place, 'no requests to it are counted at all')
    }
    if (requests <= 0) return { kind: 'none', ...where }
    const callers = counted.flatMap((one) => (one.requests > 0 && one.caller !== undefined ? [one.caller] : []))
    return { kind: 'seen', ...where, requests: Math.round(requests), callers: [...new Set(callers)].sort() }
  } catch (error) {
    if (!isPortError(error)) throw error
    return unknown(place, error.message)
  }
}

function unknown({ service, cluster }: LookedAt, why: string): PlainCallers {
  return { kind: 'unknown', service, cluster: cluster.name, why }
}

/** The mesh knows the names of callers that have a proxy alone; others are `unknown`. */
function callerOf({ labels }: Series): string | undefined {
  const { source_workload: workload, source_workload_namespace: namespace } = labels
  return workload === undefined || workload === 'unknown' || workload === '' ? undefined : `${namespace}/${workload}`
}

/** Scrapes are at most so far apart. */
const SCRAPE_MS = 120_000

/** How far a counter rose, resets included. One that begins within the time counts from zero. */
function increaseOf({ samples }: Series, nowMs: number): number {
  const [first] = samples
  if (!first) return 0
  const isNew = first[0] > nowMs - LOOK_BACK_MS + SCRAPE_MS
  let increase = isNew ? first[1] : 0
  let last = first[1]
  for (const [, value] of samples.slice(1)) {
    increase += value >= last ? value - last : value
    last = value
  }
  return Number.isFinite(increase) ? increase : 0
}

/** A sentence on what was seen; undefined: there is nothing to say. */
export function describePlainCallers(found: PlainCallers): string | undefined {
  const on = `${found.service} on ${found.cluster}`
  if (found.kind === 'none') return undefined
  if (found.kind === 'unknown') return `whether callers without mutual TLS call ${on} is not known: ${found.why}`
  const named = found.callers.slice(0, 5).join(', ')
  const who = named === '' ? 'callers that the mesh cannot name' : named
  const time = formatDuration(LOOK_BACK_MS)
  return `${found.requests} requests to ${on} came without mutual TLS in the last ${time}, of ${who}`
}

/** Why strict mutual TLS may not be asked for now; undefined: nobody is seen whom it would refuse, or that is waived. */
export function plainCallersFailure(
  found: readonly PlainCallers[],
  { waive, pointer }: { readonly waive: readonly string[] | undefined; readonly pointer: string },
): Failure | undefined {
  const seen = found.filter(({ kind }) => kind === 'seen')
  if (seen.length === 0 || waive?.includes('PlainCallers')) return undefined
  const errors = seen.slice(0, 20).map((one) => ({ pointer, reason: describePlainCallers(one) ?? '' }))
  return fail('PlainCallers', 'Strict mutual TLS would refuse callers that call now.', { errors }).failure
}

/** What the caller of a write should know: what could not be looked at, and what was waived. */
export function plainCallersWarnings(found: readonly PlainCallers[]): readonly string[] {
  const warnings = found.flatMap((one) => {
    const words = describePlainCallers(one)
    if (words === undefined) return []
    return [
      one.kind === 'seen'
        ? `PlainCallers is waived: ${words}; they are refused from now on`
        : `security.mtls: ${words}`,
    ]
  })
  const more = warnings.length - MOST_WARNINGS
  if (more <= 0) return warnings
  return [...warnings.slice(0, MOST_WARNINGS), `security.mtls: so it is in ${more} more places`]
}
