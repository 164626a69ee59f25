import { matchesLabels } from '../../model/active-freezes.ts'
import { type Finding, finding } from './finding.ts'
import { injectionOf } from './injection.ts'
import { type Desired, type Named, type Seen, serviceRef } from './subject.ts'

type Labels = Readonly<Record<string, string>>

/** Are the Pods there that labels of the service mean, and are they in the mesh? */
export function checkPods(desired: Desired, seen: Seen): readonly Finding[] {
  return [...checkVersionPods(desired, seen), ...checkProxies(desired, seen), ...checkWorkload(desired, seen)]
}

function checkVersionPods({ spec, weights, namespace }: Desired, { pods }: Seen): readonly Finding[] {
  if (!pods) return []
  // Versions that get requests are told of by their endpoints.
  return Object.entries(spec.versions)
    .filter(([version]) => !Object.hasOwn(weights, version))
    .filter(([, { labels }]) => !pods.some((pod) => bears(pod, labels)))
    .map(([version, { labels }]) => {
      const message = `No Pod of namespace ${namespace} bears ${written(labels)}, the labels of version ${version}.`
      return finding('VersionWithoutPods', message, { field: `/versions/${version}/labels` })
    })
}

function checkProxies(desired: Desired, { namespace, kubeService, pods }: Seen): readonly Finding[] {
  const injection = injectionOf(desired)
  if (!injection || !pods) return []
  const selector = selectorOf(kubeService)
  const own = pods.filter((pod) =>
    selector ? bears(pod, selector) : Object.values(desired.spec.versions).some(({ labels }) => bears(pod, labels)),
  )
  const bare = own.filter(({ metadata }) => !injection.has(metadata))
  const asks = namespace !== undefined && injection.asks(namespace.metadata, desired.mesh)
  const object = `Namespace ${desired.namespace}`
  const message = `Namespace ${desired.namespace} bears no label for the proxies of ${desired.mesh.provider}.`
  return [
    ...(namespace && !asks && bare.length === own.length ? [finding('NamespaceNotInjected', message, { object })] : []),
    ...(bare.length === 0 ? [] : [podsWithout(desired, bare, own.length)]),
  ]
}

const MOST_NAMED = 3

function podsWithout(desired: Desired, bare: readonly Named[], all: number): Finding {
  const names = bare.map(({ metadata }) => metadata.name).sort()
  const more = names.length > MOST_NAMED ? `, … (${names.length - MOST_NAMED} more)` : ''
  const named = `${names.slice(0, MOST_NAMED).join(', ')}${more}`
  const message = `${bare.length} of ${all} Pods of ${serviceRef(desired)} have no proxy of ${desired.mesh.provider}: ${named}.`
  return finding('PodWithoutProxy', message, { object: `Pod ${desired.namespace}/${names[0]}` })
}

function checkWorkload(desired: Desired, { kubeService, pods }: Seen): readonly Finding[] {
  const labels = desired.spec.workload?.labels
  if (!labels) return []
  const field = '/workload/labels'
  const none = pods !== undefined && !pods.some((pod) => bears(pod, labels))
  const nobody = `No Pod of namespace ${desired.namespace} bears ${written(labels)}.`
  const selector = selectorOf(kubeService)
  const differs = selector !== undefined && !(contains(selector, labels) && contains(labels, selector))
  const object = serviceRef(desired)
  return [
    ...(none ? [finding('WorkloadWithoutPods', nobody, { field })] : []),
    ...(differs ? [finding('WorkloadDiffers', differences(object, selector, labels), { object, field })] : []),
  ]
}

function differences(object: string, selector: Labels, labels: Labels): string {
  const both = `${object} selects ${written(selector)}, and workload.labels are ${written(labels)}`
  if (contains(selector, labels)) return `${both}: the policy also binds Pods that the Service does not select.`
  return `${both}: Pods of the Service without these labels are bound by no policy.`
}

/** Undefined where a Service selects nothing: then others keep its endpoints. */
function selectorOf(kubeService: Seen['kubeService']): Labels | undefined {
  const selector = kubeService?.spec?.selector as Labels | undefined
  return selector && Object.keys(selector).length > 0 ? selector : undefined
}

function bears({ metadata }: Named, labels: Labels): boolean {
  return matchesLabels(metadata.labels ?? {}, labels)
}

function contains(all: Labels, some: Labels): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value)
}

function written(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',')
}
