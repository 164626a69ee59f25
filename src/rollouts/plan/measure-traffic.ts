import type { ClusterDocument, ServiceDocument } from '../../model/documents.ts'
import type { GateSpec } from '../../model/gate.ts'
import type { Counts, Rollout, RolloutTarget } from '../../model/rollout.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import { gateTimings } from '../gate-timing.ts'
import { look } from '../look.ts'
import { addCounts, NO_COUNTS, total } from '../observations.ts'
import type { ClusterTraffic, GateTraffic, ServiceTraffic } from './traffic.ts'

/** How far back is looked, in two halves; where the earlier has nothing the service is younger: half of that, and so on. */
const LONGEST_MS = 3_600_000
const SHORTEST_MS = 5 * 60_000
/** Clusters that are asked together. */
const AT_ONCE = 5
const MINUTE_MS = 60_000

/** Without gates requests are counted as a gate on errors would. */
const ANY_GATE: GateSpec = { kind: 'errors', limitPercent: 1 }

export interface TrafficQuestion {
  /** With the candidate among its versions. */
  readonly service: ServiceDocument
  readonly rollout: Rollout
  readonly clusters: readonly ClusterDocument[]
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * What a service gets on each cluster of a rollout now: requests a minute over the last hour, and how many of them each gate
 * would call bad, counted as the gates will count. A source that does not answer leaves it unknown and says why.
 */
export async function measureTraffic(metrics: MetricsSources, question: TrafficQuestion): Promise<ServiceTraffic> {
  const traffic: Record<string, ClusterTraffic> = {}
  const { targets } = question.rollout
  for (let at = 0; at < targets.length; at += AT_ONCE) {
    const group = targets.slice(at, at + AT_ONCE)
    const measured = await Promise.all(group.map((target) => measureOn(metrics, question, target)))
    for (const [index, { cluster }] of group.entries()) traffic[cluster] = measured[index] ?? { gates: {} }
  }
  return traffic
}

async function measureOn(
  metrics: MetricsSources,
  question: TrafficQuestion,
  target: RolloutTarget,
): Promise<ClusterTraffic> {
  const { now, clusters } = question
  const cluster = clusters.find(({ name }) => name === target.cluster)
  if (!cluster) return { gates: {}, why: `cluster ${target.cluster} is not registered any more` }
  const gates = probesOf(question.rollout.gates)
  const count = countOn(metrics, question, target, { cluster, gates })
  for (let length = LONGEST_MS; ; length /= 2) {
    const later = await count(now - length / 2, now)
    const blind = later.find(({ why, gate }) => why !== undefined && gate === requestGate(gates))
    if (blind?.why) return { gates: {}, why: blind.why }
    const earlier = await count(now - length, now - length / 2)
    const isEmpty = earlier.every(({ candidate, stable }) => total(candidate) + total(stable) === 0)
    if (isEmpty && length / 2 >= SHORTEST_MS) continue
    // A service that is younger than the longest time began somewhere in the earlier half.
    return trafficOf(gates, length === LONGEST_MS && !isEmpty ? [...earlier, ...later] : later)
  }
}

/** The gates, with one that counts all requests if none of them does. */
function probesOf(gates: readonly GateSpec[]): readonly GateSpec[] {
  return requestGate(gates) < 0 ? [...gates, ANY_GATE] : gates
}

function requestGate(gates: readonly GateSpec[]): number {
  return gates.findIndex(({ kind }) => kind === 'errors' || kind === 'latency')
}

/** What one gate counted in one stretch of time. */
interface Counted {
  readonly gate: number
  readonly candidate: Counts
  readonly stable: Counts
  /** Milliseconds that were counted. */
  readonly spanMs: number
  /** Why it could not see. */
  readonly why?: string
}

/** Counts a stretch (epoch ms) by a look as a gate makes it, of a rollout that has not begun. */
function countOn(
  metrics: MetricsSources,
  { service, rollout }: TrafficQuestion,
  target: RolloutTarget,
  { cluster, gates }: { readonly cluster: ClusterDocument; readonly gates: readonly GateSpec[] },
): (fromMs: number, toMs: number) => Promise<readonly Counted[]> {
  const probe = { ...rollout, gates, phase: 'preflight' as const, step: -1, weight: 0, progress: [] }
  const asked = { service, rollout: probe, target: { ...target, weight: 0 }, cluster }
  const timings = gateTimings(metrics, gates, [cluster])
  return async (fromMs, toMs) => {
    const outcome = await look(metrics, { ...asked, since: fromMs, timings, now: toMs })
    return (outcome?.progress ?? []).map(({ gate, candidate, stable, cursorMs, last }) => ({
      gate,
      candidate,
      stable,
      spanMs: (cursorMs ?? fromMs) - fromMs,
      ...(last?.verdict === 'blind' ? { why: last.explanation } : {}),
    }))
  }
}

function trafficOf(gates: readonly GateSpec[], counted: readonly Counted[]): ClusterTraffic {
  const seen = gates.flatMap((_, gate): readonly (readonly [number, GateTraffic])[] => {
    const own = counted.filter((one) => one.gate === gate && one.spanMs > 0)
    if (own.length === 0) return []
    const all = own.reduce((sum, { candidate, stable }) => addCounts(sum, addCounts(candidate, stable)), NO_COUNTS)
    const spanMs = own.reduce((sum, one) => sum + one.spanMs, 0)
    const requests = total(all)
    return [[gate, { perMinute: (requests / spanMs) * MINUTE_MS, bad: requests === 0 ? 0 : all.bad / requests }]]
  })
  const byGate: Readonly<Record<number, GateTraffic>> = Object.fromEntries(seen)
  const requests = byGate[requestGate(gates)]
  if (!requests) return { gates: {}, why: 'no time could be counted' }
  return { perMinute: requests.perMinute, gates: byGate }
}
