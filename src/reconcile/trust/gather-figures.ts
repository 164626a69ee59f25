import { CHAIN_ENDS, endsOf, FAILED_CONNECTIONS, ROOT_ENDS, riseOf } from '../../mesh/istio/trust-metrics.ts'
import { FAILED_HANDSHAKES, ISSUER_ENDS } from '../../mesh/linkerd/trust-metrics.ts'
import type { ClusterDocument, MeshCaDocument } from '../../model/documents.ts'
import { timestamp } from '../../model/names.ts'
import type { TrustState } from '../../model/trust.ts'
import type { MetricsSource } from '../../ports/metrics.ts'
import type { TrustDeps } from './trust-deps.ts'

/** Failures are counted over so long, and over as long before. */
export const WINDOW_MS = 300_000
/** What was counted longer ago than both windows tells where counters stood when they began. */
const LEAD_MS = 120_000
const RECENT_MS = 300_000
const MOST_SERIES = 1000
const MOST_REPLICAS = 50
/** The times of scrapes are not those of the gauge's own clock. */
const SAME_MS = 5000

/** What the cluster's metrics tell; nothing where it names none. */
export type TrustFigures = Pick<TrustState, 'istiod' | 'failures'>

/** What is asked of metrics, by purpose of the CA. */
const QUESTIONS = {
  'mesh-ca': { chainEnds: CHAIN_ENDS, rootEnds: ROOT_ENDS, failures: FAILED_CONNECTIONS },
  'linkerd-identity': { chainEnds: ISSUER_ENDS, rootEnds: [], failures: FAILED_HANDSHAKES },
} as const satisfies Readonly<Record<MeshCaDocument['spec']['purpose'], unknown>>

/** Asks the cluster's metrics what the control plane signs with, and how many connections failed. Throws PortError. */
export async function gatherFigures(
  { metrics, clock }: Pick<TrustDeps, 'metrics' | 'clock'>,
  cluster: ClusterDocument,
  ca: MeshCaDocument,
): Promise<TrustFigures> {
  const source = await metrics.open(cluster)
  if (!source) return {}
  const now = clock.now()
  const { chainEnds, rootEnds, failures: failing } = QUESTIONS[ca.spec.purpose]
  const [chain, root, failures] = await Promise.all([
    readEnds(source, chainEnds, now),
    readEnds(source, rootEnds, now),
    countFailures(source, failing, now - metrics.timing(cluster.spec).delayMs),
  ])
  const wanted = ca.rotation?.written ?? ca.current
  const chainNotAfter = tell(chain, wanted?.signer.notAfter)
  const rootNotAfter = tell(root, wanted?.roots[0]?.notAfter)
  const istiod = {
    ...(chainNotAfter === undefined ? {} : { chainNotAfter }),
    ...(rootNotAfter === undefined ? {} : { rootNotAfter }),
  }
  return { ...(Object.keys(istiod).length === 0 ? {} : { istiod }), failures }
}

/** The names of one gauge, the first that is there: versions of istiod differ. */
async function readEnds(source: MetricsSource, names: readonly string[], now: number): Promise<readonly number[]> {
  for (const name of names) {
    const ends = endsOf(name, await source.samples(name, now, RECENT_MS, MOST_REPLICAS))
    if (ends.length > 0) return ends
  }
  return []
}

/** Of replicas that differ, one that has yet to take what is wanted: they count as one that all must have taken. */
function tell(ends: readonly number[], wanted: string | undefined): string | undefined {
  const isWanted = (end: number) => wanted !== undefined && Math.abs(end - Date.parse(wanted)) <= SAME_MS
  const [end] = [...ends.filter((one) => !isWanted(one)), ...ends]
  if (end === undefined) return undefined
  return isWanted(end) ? wanted : timestamp(end)
}

async function countFailures(
  source: MetricsSource,
  selectors: readonly string[],
  to: number,
): Promise<NonNullable<TrustState['failures']>> {
  const asked = selectors.map((selector) => source.samples(selector, to, 2 * WINDOW_MS + LEAD_MS, MOST_SERIES))
  const series = (await Promise.all(asked)).flat()
  const middle = to - WINDOW_MS
  return {
    now: Math.round(riseOf(series, middle, to)),
    before: Math.round(riseOf(series, middle - WINDOW_MS, middle)),
  }
}
