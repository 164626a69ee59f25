import { type KubeObject, refOf } from '../../model/kube.ts'
import { refKey } from '../content.ts'
import type { Observed } from '../situation.ts'

type Labels = Readonly<Record<string, string>>

/** What a namespace holds that decides about the Deployments of a rollout by `image`. */
export interface WorkloadsSeen {
  /** Undefined: they may not be listed. */
  readonly deployments: readonly KubeObject[] | undefined
  /** Undefined: they may not be listed. */
  readonly autoscalers: readonly KubeObject[] | undefined
  /** The selector of the Kubernetes Service; undefined: there is none. */
  readonly selector: Labels | undefined
  /** Versions of other services that get requests on the cluster from Pods of Deployments of ours. */
  readonly neighbours: readonly Neighbour[]
}

/** A version of another service that gets requests. */
export interface Neighbour {
  /** `shop/internal` */
  readonly service: string
  readonly labels: Labels
  /** The selector of its Kubernetes Service. */
  readonly selector: Labels
}

/** Something that stands in the way of a candidate's Deployment, or that people should know of it. */
export interface WorkloadProblem {
  /** CamelCase, part of the API. */
  readonly reason: string
  readonly message: string
  /** The way out, a sentence. */
  readonly fix: string
}

/** What was seen of a cluster, with its Deployments among the objects. */
export function withWorkloads(seen: Observed, gathered: Pick<Observed, 'overlaps' | 'workloads'>): Observed {
  const objects = new Map(seen.objects)
  for (const object of gathered.workloads?.deployments ?? []) objects.set(refKey(refOf(object)), object)
  return { ...seen, ...gathered, objects }
}

/** What was not seen is not known to be absent: nothing is made or recorded as done before the right is there. */
export function deploymentsUnseen({ namespace }: { readonly namespace: string }): WorkloadProblem {
  const message = `The Deployments of namespace ${namespace} may not be looked at.`
  const fix = 'Give Meshwright the right to list them; GET /clusters/{cluster}/access lists what is missing.'
  return { reason: 'Denied', message, fix }
}

/** The autoscaler of a Deployment; KEDA's are of the same kind. */
export function autoscalerOf({ autoscalers }: WorkloadsSeen, deployment: string): KubeObject | undefined {
  return autoscalers?.find((object) => {
    const target = object.spec?.scaleTargetRef as { readonly kind?: string; readonly name?: string } | undefined
    return target?.kind === 'Deployment' && target.name === deployment
  })
}

/** `HorizontalPodAutoscaler shop/web`, or `ScaledObject web (KEDA)` where it is one of KEDA's. */
export function describeAutoscaler({ metadata }: KubeObject): string {
  const scaled = metadata.ownerReferences?.find(({ kind }) => kind === 'ScaledObject')
  return scaled
    ? `ScaledObject ${scaled.name} (KEDA)`
    : `HorizontalPodAutoscaler ${metadata.namespace}/${metadata.name}`
}
