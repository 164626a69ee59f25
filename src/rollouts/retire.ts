import type { ServiceDocument } from '../model/documents.ts'
import { MOST_RETIRED, type RetiredVersion } from '../model/retired.ts'
import { isTerminal, type Rollout, type RolloutTarget } from '../model/rollout.ts'

/**
 * The versions whose Deployments are to be scaled to 0, after rollouts moved; `targets` says what is stable then. A rollout
 * takes its versions off the list, and at its end puts that one on it that lost, if it made the candidate's Deployment. When
 * weights could not be set, either may still get requests: none is put on it.
 */
export function retiredAfter(
  service: ServiceDocument,
  changed: readonly Rollout[],
  targets: ServiceDocument['targets'],
): Pick<ServiceDocument, 'retired'> {
  const retired = { ...service.retired }
  for (const rollout of changed) {
    for (const target of rollout.targets) {
      const others = (retired[target.cluster] ?? []).filter(
        ({ version }) => version !== target.stable && version !== target.candidate,
      )
      const next = [...others, ...loserOf(service, rollout, target, targets)].slice(-MOST_RETIRED)
      if (next.length > 0) retired[target.cluster] = next
      else delete retired[target.cluster]
    }
  }
  return Object.keys(retired).length === 0 && !service.retired ? {} : { retired }
}

function loserOf(
  { spec }: ServiceDocument,
  { id, phase, image }: Rollout,
  { cluster, stable, candidate }: RolloutTarget,
  targets: ServiceDocument['targets'],
): readonly RetiredVersion[] {
  const now = targets[cluster]?.stable
  const made = spec.versions[candidate]?.workload
  if (!image || !isTerminal(phase) || phase === 'failed' || now === undefined || made === undefined) return []
  const loser = now === candidate ? 'source' : 'made'
  const version = loser === 'source' ? stable : candidate
  return [{ version, labels: spec.versions[version]?.labels ?? {}, rollout: id, made, loser }]
}
