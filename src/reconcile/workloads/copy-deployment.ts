import type { KubeMetadata, KubeObject } from '../../model/kube.ts'
import { withImages } from './container-images.ts'
import { DEPLOYMENT, type DeploymentSpec, podLabels, specOf } from './deployment.ts'

type Labels = Readonly<Record<string, string>>

export interface CopyRequest {
  /** The Deployment of stable, as it is on the cluster. */
  readonly source: KubeObject
  /** Name, namespace and marks of the copy. */
  readonly metadata: KubeMetadata
  /** By which Pods of the two versions are known. */
  readonly stable: Labels
  readonly candidate: Labels
  /** What Pods of the candidate bear besides, in place of what those of stable do. */
  readonly annotations?: Labels
  /** By container; `''`: the only one. */
  readonly images: Labels
  readonly replicas: number
}

/** The fields of a Deployment's spec that say how its Pods are rolled: taken along. `paused` would keep it from making any. */
const TAKEN = ['strategy', 'minReadySeconds', 'progressDeadlineSeconds', 'revisionHistoryLimit'] as const

/**
 * The candidate's Deployment: that of stable with the candidate's labels, a selector of its own, other images and no mark of
 * whoever owns stable. Where Pods are kept apart or spread by labels of stable, the candidate's take their place.
 */
export function copyDeployment(request: CopyRequest): KubeObject {
  const { source, metadata, candidate, images, replicas } = request
  const spec = specOf(source)
  const taken = Object.fromEntries(TAKEN.flatMap((field) => (spec[field] === undefined ? [] : [[field, spec[field]]])))
  const labels = { ...podLabels(source), ...candidate }
  const annotations = {
    ...withoutForeignMarks(spec.template?.metadata?.annotations ?? {}),
    ...request.annotations,
  }
  const template: NonNullable<DeploymentSpec['template']> = {
    metadata: { labels, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: relabelled(request, withImages(spec.template?.spec ?? {}, images)),
  }
  const selector = { matchLabels: { ...spec.selector?.matchLabels, ...candidate } }
  return { ...DEPLOYMENT, metadata, spec: { ...taken, replicas, selector, template } }
}

const FOREIGN = [
  /^kubectl\.kubernetes\.io\//,
  /^deployment\.kubernetes\.io\//,
  /^meta\.helm\.sh\//,
  /(^|\.)argoproj\.io\//,
  /(^|\.)fluxcd\.io\//,
  /^flagger\.app\//,
]

/** Annotations by which tools track what is theirs, or remember what they did, say nothing of the copy. */
function withoutForeignMarks(annotations: Labels): Labels {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !FOREIGN.some((mark) => mark.test(name))))
}

/** Rules that look at labels of stable's Pods look at those of the candidate's. */
function relabelled({ stable, candidate }: CopyRequest, pod: NonNullable<DeploymentSpec['template']>['spec']) {
  const changed = Object.entries(stable).filter(
    ([key, value]) => candidate[key] !== undefined && candidate[key] !== value,
  )
  const renamed = (key: string, value: unknown): unknown => {
    return changed.some(([name, old]) => name === key && old === value) ? candidate[key] : value
  }
  const visit = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(visit)
    if (typeof part !== 'object' || part === null) return part
    const { key, values, ...rest } = part as { readonly key?: unknown; readonly values?: unknown }
    if (typeof key === 'string' && Array.isArray(values)) {
      return { key, values: values.map((value) => renamed(key, value)), ...rest }
    }
    return Object.fromEntries(
      Object.entries(part).map(([name, value]) => [
        name,
        name === 'matchLabels' && typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([label, text]) => [label, renamed(label, text)]))
          : visit(value),
      ]),
    )
  }
  const rules = ['affinity', 'topologySpreadConstraints'].filter((name) => pod?.[name] !== undefined)
  return { ...pod, ...Object.fromEntries(rules.map((name) => [name, visit(pod?.[name])])) }
}
