import { bearsMarks, COPIED_FROM, MANAGED_BY, MANAGER, REVISION, ROLLOUT, SERVICE } from '../../mesh/marks.ts'
import { canonicalJson } from '../../model/digest.ts'
import { describeRef, type KubeMetadata, type KubeObject, refOf } from '../../model/kube.ts'
import { serviceKey } from '../../model/service.ts'
import { holds } from '../content.ts'
import type { Drift } from '../drift.ts'
import { selects } from '../label-selector.ts'
import { otherHands, toolOf } from '../owners.ts'
import type { PlannedService, Stop } from '../situation.ts'
import { containerProblem, withImages } from './container-images.ts'
import { copyDeployment } from './copy-deployment.ts'
import { isRolledOut, podLabels, replicasOf, specOf } from './deployment.ts'
import { findSource, labelsOf } from './find-source.ts'
import type { ImageRollout } from './image-rollout.ts'
import { replicasFor } from './replicas-for.ts'
import {
  autoscalerOf,
  deploymentsUnseen,
  describeAutoscaler,
  type WorkloadProblem,
  type WorkloadsSeen,
} from './workloads.ts'

/** What is wanted of the candidate's Deployment on one cluster. */
export interface CandidatePlan {
  /** As it is to be; absent when it cannot be made. */
  readonly object?: KubeObject
  /** Another hand changed its images. */
  readonly drift?: Drift
  /** Why the candidate must not get more requests yet. */
  readonly waits?: Stop | undefined
  /** Why it cannot be made. */
  readonly refusal?: WorkloadProblem
  /** What people should know. */
  readonly warnings: readonly WorkloadProblem[]
}

export interface CandidateScene {
  readonly service: PlannedService
  readonly wanted: ImageRollout
  readonly seen: WorkloadsSeen
  /** Ready endpoints of the candidate. */
  readonly ready: number
  /** What its Pods must bear besides labels, for the mesh to count them to it. */
  readonly annotations?: Readonly<Record<string, string>>
}

/**
 * The candidate's Deployment is copied from stable's once. From then on only its images and its number of Pods are ours to
 * change, and the number only rises while the rollout is live: what happens to stable's Deployment meanwhile is another
 * release. Pure.
 */
export function planCandidate(scene: CandidateScene): CandidatePlan {
  const { service, wanted, seen } = scene
  if (!seen.deployments) return { refusal: deploymentsUnseen(service), warnings: [] }
  const made = seen.deployments.find(({ metadata }) => metadata.name === wanted.name)
  const ours = made !== undefined && bearsMarks(made.metadata, keyOf(service))
  if (made && !ours) return { refusal: nameTaken(service, wanted, made), warnings: [] }
  if (made && made.metadata.annotations?.[ROLLOUT] === wanted.rollout.id) return keepCopy(scene, made)
  const found = findSource(service, wanted, seen)
  if (!found.ok) return { refusal: found.problem, warnings: [] }
  const { source } = found
  const problem = refusalOf(scene, source)
  if (problem) return { refusal: problem, warnings: [] }
  const copy = makeCopy(scene, source)
  if (made && !selects(made.spec?.selector, podLabels(copy)))
    return { refusal: nameTaken(service, wanted, made), warnings: [] }
  // The selector of a Deployment that an earlier rollout made cannot be changed.
  const object = made ? { ...copy, spec: { ...copy.spec, selector: made.spec?.selector } } : copy
  return { object, waits: waitsFor(scene, object, made), warnings: warningsOf(seen, source) }
}

function keyOf({ namespace, name }: Pick<PlannedService, 'namespace' | 'name'>): string {
  return serviceKey(namespace, name)
}

function nameTaken({ namespace }: PlannedService, { name, target }: ImageRollout, made: KubeObject): WorkloadProblem {
  const message =
    `${describeRef(refOf(made))} is there already, and Meshwright did not make it as ${target.candidate} of this service ` +
    `with the selector that it needs.`
  const fix = `Choose another name than ${target.candidate}, or delete Deployment ${namespace}/${name}.`
  return { reason: 'WorkloadExists', message, fix }
}

/** Why the Deployment of stable cannot be the pattern. */
function refusalOf({ service, wanted, seen }: CandidateScene, source: KubeObject): WorkloadProblem | undefined {
  const ref = describeRef(refOf(source))
  const tool = toolOf(source)
  if (tool !== undefined && tool !== 'Helm') {
    const message = `${ref} is owned by ${tool}, which does not know the copy and puts back what is scaled down.`
    const fix = `Let ${tool} deploy the new version beside the old one, and start the rollout with its name or labels.`
    return { reason: 'WorkloadOwnedByTool', message, fix }
  }
  const pods = { ...podLabels(source), ...labelsOf(service, wanted.target.candidate) }
  const catching = seen.deployments?.find(
    (deployment) => deployment.metadata.name !== wanted.name && selects(deployment.spec?.selector, pods),
  )
  if (catching) {
    const message = `The selector of ${describeRef(refOf(catching))} would also take the Pods of ${wanted.target.candidate}.`
    const fix =
      'A selector cannot be changed: create that Deployment anew with a label in its selector that only its own version ' +
      'has, such as "version".'
    return { reason: 'SelectorCatchesCandidate', message, fix }
  }
  return containerProblem(source, wanted.image.images)
}

function makeCopy({ service, wanted, seen, annotations = {} }: CandidateScene, source: KubeObject): KubeObject {
  const { target, image } = wanted
  const copiedFrom = `${source.metadata.name}@${source.metadata.generation ?? 0}`
  return copyDeployment({
    source,
    metadata: metadataOf(service, wanted, copiedFrom),
    stable: labelsOf(service, target.stable),
    candidate: labelsOf(service, target.candidate),
    annotations,
    images: image.images,
    replicas: replicasFor(wanted, sourceReplicas(wanted, seen, source.metadata.name)),
  })
}

/** The copy as it is on the cluster, with our images and enough Pods. */
function keepCopy(scene: CandidateScene, made: KubeObject): CandidatePlan {
  const { service, wanted, seen } = scene
  const copiedFrom = made.metadata.annotations?.[COPIED_FROM] ?? ''
  const [source = ''] = copiedFrom.split('@')
  const { template } = specOf(made)
  const pod = withImages(template?.spec ?? {}, wanted.image.images)
  const live = replicasOf(made)
  const scaler = live > 0 ? autoscalerOf(seen, wanted.name) : undefined
  const needed = replicasFor(wanted, sourceReplicas(wanted, seen, source))
  const object = {
    apiVersion: made.apiVersion,
    kind: made.kind,
    metadata: metadataOf(service, wanted, copiedFrom),
    spec: { ...made.spec, replicas: scaler ? live : Math.max(live, needed), template: { ...template, spec: pod } },
  }
  const changed = canonicalJson(pod) !== canonicalJson(template?.spec)
  return {
    object,
    waits: waitsFor(scene, object, made, scaler && { scaler, needed }),
    warnings: [],
    ...(changed ? { drift: changedImages(made) } : {}),
  }
}

function changedImages(made: KubeObject): Drift {
  const fields = ['spec.template.spec.containers']
  return { ref: refOf(made), kind: 'changed', hands: otherHands(made), fields }
}

function metadataOf(
  service: PlannedService,
  { name, rollout, target }: ImageRollout,
  copiedFrom: string,
): KubeMetadata {
  return {
    name,
    namespace: service.namespace,
    labels: { ...labelsOf(service, target.candidate), [MANAGED_BY]: MANAGER },
    annotations: {
      [REVISION]: String(service.renderRevision),
      [SERVICE]: keyOf(service),
      [ROLLOUT]: rollout.id,
      [COPIED_FROM]: copiedFrom,
    },
  }
}

/** How many Pods stable has, or had when the rollout began: an autoscaler takes some away as its requests go. */
function sourceReplicas({ target }: ImageRollout, { deployments }: WorkloadsSeen, name: string): number {
  const source = deployments?.find(({ metadata }) => metadata.name === name)
  return Math.max(target.stableReadyAtStart ?? 0, source ? replicasOf(source) : 0)
}

/** An autoscaler's number is left to it: it would put back what is written, for the candidate has few requests yet. */
function waitsFor(
  { ready }: CandidateScene,
  object: KubeObject,
  made: KubeObject | undefined,
  scaled?: { readonly scaler: KubeObject; readonly needed: number },
): Stop | undefined {
  const most = scaled?.scaler.spec?.maxReplicas
  const needed = scaled ? Math.min(scaled.needed, typeof most === 'number' ? most : scaled.needed) : replicasOf(object)
  if (made && holds(made, object) && isRolledOut(made, needed) && ready >= needed) return undefined
  const message = `${describeRef(refOf(object))} has ${Math.min(ready, needed)} of ${needed} Pods ready that its share of the requests needs.`
  const way = scaled && replicasOf(object) < needed ? ` ${minimumFor(scaled.scaler, needed)}` : ''
  return { reason: 'WaitingForReplicas', message: `${message}${way}`, again: 'poll' }
}

function minimumFor(scaler: KubeObject, needed: number): string {
  return `${describeAutoscaler(scaler)} scales it: set its minReplicas (KEDA: minReplicaCount) to ${needed} until the rollout is over.`
}

function warningsOf(seen: WorkloadsSeen, source: KubeObject): readonly WorkloadProblem[] {
  const ref = describeRef(refOf(source))
  const scaler = autoscalerOf(seen, source.metadata.name)
  const warnings: WorkloadProblem[] = []
  if (scaler) {
    const message = `${describeAutoscaler(scaler)} scales ${ref}: the candidate gets none, and the old version is not scaled down at the end`
    warnings.push({
      reason: 'StableAutoscaled',
      message,
      fix: 'Make one for the candidate too, as soon as it is there.',
    })
  }
  if (!seen.autoscalers) {
    const message = `whether an autoscaler scales ${ref} may not be looked at: the old version is not scaled down at the end`
    warnings.push({ reason: 'AutoscalersNotSeen', message, fix: 'Give Meshwright the right to list them.' })
  }
  if (toolOf(source) === 'Helm') {
    const message = `${ref} was installed by Helm: its next upgrade starts the old version again after it was scaled down`
    warnings.push({
      reason: 'InstalledByHelm',
      message,
      fix: 'Set the number of its Pods to 0 in the values after the rollout.',
    })
  }
  return warnings
}
