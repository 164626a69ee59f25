import type { Growth } from './history-state.ts'
import { type Outcome, requestLabels } from './request-labels.ts'
import type { Durations, ServiceTraffic } from './traffic.ts'
import type { Caller, WorldPod } from './world-spec.ts'

/** Who asked whom, and how it ended. */
export interface CountedRequests {
  readonly traffic: Pick<ServiceTraffic, 'ref' | 'spec'>
  readonly caller: Caller
  readonly pod: WorldPod | undefined
  readonly outcome: Outcome
  /** A copy, of whose answer the caller's proxy knows nothing. */
  readonly copy?: boolean
}

/** The counters that the sidecars of a cluster hold and nobody has scraped yet, by pod. */
export interface RequestTally {
  /** Counts requests at the pod that took them and at the caller's proxy, as far as each is in the mesh. */
  add(requests: CountedRequests, durations: Durations): void
  /** Hands over what one pod has counted and starts it from nothing. */
  take(pod: string): readonly Growth[]
  /** Forgets what a pod that is gone had counted. */
  drop(pod: string): void
}

/** Name of the one pod that a caller's requests come from. */
export function callerPod(caller: Pick<Caller, 'workload' | 'namespace'>): string {
  return `${caller.namespace}/${caller.workload}-0`
}

/** How the tally names a pod. */
export function podKey(pod: WorldPod): string {
  return `${pod.namespace}/${pod.name}`
}

export function newRequestTally(): RequestTally {
  const byPod = new Map<string, Map<string, Growth>>()
  return {
    add(requests, durations) {
      if (durations.count === 0) return
      const { caller, pod, copy } = requests
      if (pod) count(byPod, podKey(pod), 'destination', requests, durations)
      if (caller.meshed && !copy) count(byPod, callerPod(caller), 'source', requests, durations)
    },
    take(pod) {
      const taken = [...(byPod.get(pod)?.values() ?? [])]
      byPod.delete(pod)
      return taken
    },
    drop: (pod) => byPod.delete(pod),
  }
}

function count(
  byPod: Map<string, Map<string, Growth>>,
  target: string,
  reporter: 'source' | 'destination',
  { traffic: { ref, spec }, caller, pod, outcome }: CountedRequests,
  durations: Durations,
): void {
  const parts = byPod.get(target) ?? new Map<string, Growth>()
  byPod.set(target, parts)
  const ending = outcome.failed ? `${outcome.errorCode}${outcome.flags}` : 'ok'
  const peer = reporter === 'source' ? (pod?.workload ?? '') : callerPod(caller)
  const key = `${reporter} ${ref.namespace}/${ref.service} ${peer} ${ending}`
  let growth = parts.get(key)
  if (growth === undefined) {
    const labels = requestLabels({ reporter, ref, protocol: spec.protocol, caller, pod, outcome })
    growth = { key, labels, requests: 0, sumMs: 0, buckets: new Map() }
    parts.set(key, growth)
  }
  growth.requests += durations.count
  growth.sumMs += durations.sumMs
  for (const [bucket, hits] of durations.buckets) growth.buckets.set(bucket, (growth.buckets.get(bucket) ?? 0) + hits)
}
