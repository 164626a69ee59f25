import { matchesLabels } from '../model/active-freezes.ts'
import type { KubeObject } from '../model/kube.ts'
import type { VersionReadiness } from '../model/placement.ts'
import type { ServiceSpec } from '../model/service.ts'
import type { MetadataObject } from '../ports/cluster-api.ts'

type Versions = ServiceSpec['versions']

/** A label selector that takes the Pods of every version; undefined when the versions share no label key. */
export function podSelector(versions: Versions): string | undefined {
  const all = Object.values(versions).map(({ labels }) => labels)
  const shared = Object.keys(all[0] ?? {}).filter((key) => all.every((labels) => Object.hasOwn(labels, key)))
  if (shared.length === 0) return undefined
  return shared
    .sort()
    .map((key) => `${key} in (${[...new Set(all.map((labels) => labels[key]))].sort().join(',')})`)
    .join(',')
}

/** The label that tells whose endpoints an EndpointSlice holds. */
export const SERVICE_NAME = 'kubernetes.io/service-name'

/** What a mesh needs to reach versions, by version. */
export interface Reach {
  /** Kubernetes Services of their own, whose slices count. */
  readonly services?: Readonly<Record<string, string>>
  /** Annotations of their Pods. */
  readonly annotations?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * Ready endpoints by version: Pods that an EndpointSlice of the Service names as ready and that carry the version's
 * labels. A Pod in two slices (IPv4 and IPv6) counts once; an absent `ready` means ready, as the API says. Where
 * the mesh needs more of the Pods of a version, the rest does not count.
 */
export function readyByVersion(
  versions: Versions,
  slices: readonly KubeObject[],
  pods: readonly MetadataObject[],
  { services = {}, annotations = {} }: Reach = {},
): Readonly<Record<string, VersionReadiness>> {
  return Object.fromEntries(
    Object.keys(versions)
      .sort()
      .map((name) => {
        const service = services[name]
        const own = slices.filter(
          ({ metadata }) => service === undefined || metadata.labels?.[SERVICE_NAME] === service,
        )
        const ready = new Set(own.flatMap(readyPods))
        const wanted = versions[name]?.labels ?? {}
        const fitting = pods.filter(
          ({ metadata }) =>
            ready.has(metadata.name) &&
            matchesLabels(metadata.labels ?? {}, wanted) &&
            matchesLabels(metadata.annotations ?? {}, annotations[name] ?? {}),
        )
        return [name, { ready: fitting.length }]
      }),
  )
}

/** Versions with ready Pods that lack labels which every Pod of the service is said to have: rules bound by these pass them by. */
export function unboundVersions(
  versions: Versions,
  slices: readonly KubeObject[],
  pods: readonly MetadataObject[],
  labels: Readonly<Record<string, string>>,
): readonly string[] {
  const without = pods.filter(({ metadata }) => !matchesLabels(metadata.labels ?? {}, labels))
  const ready = readyByVersion(versions, slices, without)
  return Object.keys(ready).filter((version) => (ready[version]?.ready ?? 0) > 0)
}

interface Endpoint {
  readonly conditions?: { readonly ready?: boolean }
  readonly targetRef?: { readonly kind?: string; readonly name?: string }
}

function readyPods(slice: KubeObject): readonly string[] {
  const endpoints = Array.isArray(slice.endpoints) ? (slice.endpoints as Endpoint[]) : []
  return endpoints.flatMap(({ conditions, targetRef }) =>
    conditions?.ready !== false && targetRef?.kind === 'Pod' && targetRef.name !== undefined ? [targetRef.name] : [],
  )
}
