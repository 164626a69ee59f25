import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Rollout, RolloutRequest, RolloutTarget } from '../model/rollout.ts'
import { type CheckedCandidate, checkCandidate } from './check-candidate.ts'

/** A rollout that nothing stands in the way of. */
export interface PlannedRollout {
  readonly candidate: CheckedCandidate
  readonly targets: readonly RolloutTarget[]
  readonly warnings: readonly string[]
}

/** Where the rollout goes, from the service alone; or what stands in its way. Whether its clusters can take it is checked apart. */
export function planRollout(service: ServiceDocument, request: RolloutRequest): Result<PlannedRollout> {
  const key = keyOf(service)
  const wanted = [...new Set(request.clusters ?? Object.keys(service.targets).sort())]
  const unknown = wanted.filter((cluster) => !Object.hasOwn(service.targets, cluster))
  if (unknown.length > 0) {
    const errors = unknown.map((cluster) => ({ pointer: '/clusters', reason: `service ${key} is not on ${cluster}` }))
    return fail('UnknownReference', `Service ${key} is not on ${unknown.join(', ')}.`, { errors })
  }
  if (wanted.length === 0) {
    const errors = [{ pointer: '/clusters', reason: 'the service is on no cluster' }]
    return fail('InvalidCombination', `Service ${key} is on no cluster.`, {
      errors,
      hint: 'Add clusters to the service first.',
    })
  }
  if (service.spec.traffic?.weights) {
    return fail('WeightsPinned', `Service ${key} fixes its weights in traffic.weights.`)
  }
  const stableOn = (cluster: string) => service.targets[cluster]?.stable ?? service.spec.initialVersion
  const candidate = checkCandidate(service, request, [...new Set(wanted.map(stableOn))])
  if (!candidate.ok) return candidate
  const targets = wanted
    .map((cluster) => newTarget(cluster, stableOn(cluster), candidate.value.name))
    .filter((target) => target.stable !== target.candidate)
  if (targets.length === 0) {
    const errors = [{ pointer: '/candidate', reason: 'is stable already on every cluster of the rollout' }]
    return fail('InvalidCombination', `${candidate.value.name} is stable already.`, {
      errors,
      hint: 'Name another version.',
    })
  }
  const overlap = service.rollouts.find((rollout) => rollout.phase !== 'baking' && sharesCluster(rollout, targets))
  if (overlap) {
    return fail('RolloutInFlight', `Rollout ${overlap.id} is live on the same cluster (${overlap.phase}).`, {
      errors: [{ pointer: '/clusters', reason: `overlap with rollout ${overlap.id}` }],
    })
  }
  const skipped = wanted.filter((cluster) => !targets.some((target) => target.cluster === cluster))
  return succeed({
    candidate: candidate.value,
    targets,
    warnings: [
      ...skipped.map((cluster) => `${cluster} runs ${candidate.value.name} already and is left out`),
      ...candidate.value.dropped.map((version) => `${version} is no version of the service any more: it made room`),
    ],
  })
}

function newTarget(cluster: string, stable: string, candidate: string): RolloutTarget {
  return { cluster, stable, candidate, weight: 0, observedWeight: null }
}

/** Have a rollout and these targets a cluster in common? */
export function sharesCluster(rollout: Rollout, targets: readonly RolloutTarget[]): boolean {
  return rollout.targets.some((mine) => targets.some((target) => target.cluster === mine.cluster))
}
