import { matchesLabels } from '../../model/active-freezes.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { PlannedService } from '../situation.ts'
import { podLabels } from './deployment.ts'
import type { ImageRollout } from './image-rollout.ts'
import type { WorkloadProblem, WorkloadsSeen } from './workloads.ts'

/** The labels by which Pods of a version are known. */
export function labelsOf({ spec }: Pick<PlannedService, 'spec'>, version: string): Readonly<Record<string, string>> {
  return spec.versions[version]?.labels ?? {}
}

/** The one Deployment whose Pods are those of stable and behind the Kubernetes Service; or why it cannot be told. */
export function findSource(
  service: PlannedService,
  { target, name }: ImageRollout,
  { deployments = [], selector = {} }: WorkloadsSeen,
): { readonly ok: true; readonly source: KubeObject } | { readonly ok: false; readonly problem: WorkloadProblem } {
  const labels = labelsOf(service, target.stable)
  const makers = deployments
    .filter(({ metadata }) => metadata.name !== name)
    .filter(
      (deployment) => matchesLabels(podLabels(deployment), labels) && matchesLabels(podLabels(deployment), selector),
    )
  const [source, ...others] = makers
  if (source && others.length === 0) return { ok: true, source }
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  const pods = `Pods of ${target.stable} (${words.join(',')}) for Service ${service.namespace}/${service.name}`
  if (!source) {
    const message = `No Deployment in namespace ${service.namespace} makes ${pods}: there is nothing to copy.`
    const fix = 'Deploy the new version yourself, and start the rollout with its name or labels.'
    return { ok: false, problem: { reason: 'StableWorkloadMissing', message, fix } }
  }
  const names = makers.map(({ metadata }) => metadata.name).sort()
  const message = `Deployments ${names.join(', ')} all make ${pods}: which to copy is not clear.`
  const fix = `Give ${target.stable} labels that the Pods of only one of them bear.`
  return { ok: false, problem: { reason: 'StableWorkloadAmbiguous', message, fix } }
}
