import { canonicalJson } from '../../../model/digest.ts'
import type { KubeObject } from '../../../model/kube.ts'
import type { KubeService } from '../../read/kube-service.ts'
import type { SeenObjects } from '../../read/reader.ts'
import { type Fields, fieldsOf, freeName, listOf } from '../../read/values.ts'
import { rulesOf } from '../rule.ts'

/** Labels by which a Service of a namespace chooses Pods; undefined: there is no such Service. */
export type Selectors = (name: string) => Fields | undefined

/** Those of the cluster, and over them Services that are among some objects. */
export function selectorsIn(namespace: string, seen: SeenObjects, objects: readonly KubeObject[] = []): Selectors {
  const all = [...seen.services, ...objects.filter(({ kind }) => kind === 'Service')]
  const own = all.filter(({ metadata }) => metadata.namespace === namespace)
  const known = new Map(own.map(({ metadata, spec }) => [metadata.name, fieldsOf(spec?.selector)]))
  return (name) => known.get(name)
}

/** Names of the Services that a route sends requests or copies to, in its own namespace. */
export function backendsOfRoute(route: KubeObject): readonly string[] {
  const names = rulesOf(route).flatMap(({ backendRefs = [] }) =>
    listOf(backendRefs)
      .filter(isPlain)
      .map(({ name }) => String(name)),
  )
  return [...new Set(names)].sort()
}

function isPlain({ kind = 'Service', group = '', namespace }: Fields): boolean {
  return kind === 'Service' && (group === '' || group === 'core') && namespace === undefined
}

/** Does one set of labels hold all of another? */
export function contains(all: Fields, some: Fields): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value)
}

/** Versions of a service by the Services that its routes name; the service's own is a version of all its Pods. */
export interface ReadVersions {
  readonly versions: Fields
  nameOf(service: unknown): string | undefined
}

export function versionsByBackend(
  service: KubeService,
  backends: readonly string[],
  selectors: Selectors,
): ReadVersions {
  const names = new Map<string, string>()
  const versions: Record<string, unknown> = {}
  for (const backend of backends.length === 0 ? [service.name] : backends) {
    const isOwn = backend === service.name
    const short = backend.startsWith(`${service.name}-`) ? backend.slice(service.name.length + 1) : backend
    const name = freeName(isOwn ? 'all' : short, new Set(names.values()))
    const selector = selectors(backend) ?? {}
    const further = Object.fromEntries(Object.entries(selector).filter(([key]) => service.selector[key] === undefined))
    const labels = isOwn || Object.keys(further).length === 0 ? service.selector : further
    names.set(backend, name)
    versions[name] = isOwn ? { labels } : { labels, service: backend }
  }
  return { versions, nameOf: (backend) => names.get(String(backend)) }
}

/** What a reference means: the Pods of a Service on a port; anything else as it is. */
export function backendText(ref: Fields, selectors: Selectors): string {
  const { group: _, kind: _k, name, port, weight: _w, ...more } = ref
  const selector = isPlain(ref) && Object.keys(more).length === 0 ? selectors(String(name)) : undefined
  return selector ? canonicalJson([selector, port]) : `other ${canonicalJson(ref)}`
}

/** Per cents by what is meant, without those that get nothing. */
export function sharesOf(refs: readonly Fields[], text: (ref: Fields) => string): Readonly<Record<string, number>> {
  const weights = refs.map(({ weight = 1 }) => Number(weight))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const found: Record<string, number> = {}
  for (const [index, ref] of refs.entries()) {
    const share = sum === 0 ? 0 : ((weights[index] ?? 0) / sum) * 100
    if (share > 0) found[text(ref)] = Math.round(((found[text(ref)] ?? 0) + share) * 1e6) / 1e6
  }
  return found
}
