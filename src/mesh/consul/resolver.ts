import type { KubeObject } from '../../model/kube.ts'
import { durationMs } from '../../model/names.ts'
import type { TrafficSpec } from '../../model/policy/traffic.ts'
import type { VersionSpec } from '../../model/service.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { META_VERSION, SERVICE_RESOLVER } from './names.ts'
import { seconds } from './route-settings.ts'

export interface Subset {
  readonly filter?: string
  readonly onlyPassing?: boolean
}
export type Subsets = Readonly<Record<string, Subset>>

/** A subset a version, by the meta data that Pods' annotations give their instances; instances that fail checks get nothing. */
export function serviceResolver(input: RenderInput): KubeObject {
  const { traffic } = input.policy
  const subsets = Object.fromEntries(
    Object.keys(input.spec.versions)
      .sort()
      .map((name) => [name, { filter: filterOf(input.spec.versions[name]), onlyPassing: true }]),
  )
  const connectTimeout = traffic?.connections?.connectTimeout
  const loadBalancer = loadBalancerOf(traffic)
  return {
    ...SERVICE_RESOLVER,
    metadata: markedMetadata(input),
    spec: {
      subsets,
      ...(connectTimeout === undefined ? {} : { connectTimeout: seconds(connectTimeout) }),
      ...(loadBalancer ? { loadBalancer } : {}),
    },
  }
}

function filterOf(version: VersionSpec | undefined): string {
  return `Service.Meta.version == "${version?.labels.version ?? ''}"`
}

/** What Pods of a version must bear besides its labels. */
export function podAnnotations({ labels }: VersionSpec): Readonly<Record<string, string>> {
  return { [META_VERSION]: labels.version ?? '' }
}

const POLICIES = { 'round-robin': 'round_robin', 'least-request': 'least_request', random: 'random' } as const

function loadBalancerOf(traffic: TrafficSpec | undefined): Readonly<Record<string, unknown>> | undefined {
  if (traffic?.affinity) return { policy: 'ring_hash', hashPolicies: [hashPolicy(traffic.affinity)] }
  return traffic?.loadBalancing && { policy: POLICIES[traffic.loadBalancing] }
}

function hashPolicy(affinity: NonNullable<TrafficSpec['affinity']>): Readonly<Record<string, unknown>> {
  if ('header' in affinity) return { field: 'header', fieldValue: affinity.header }
  if ('query' in affinity) return { field: 'query_parameter', fieldValue: affinity.query }
  if ('sourceIp' in affinity) return { sourceIP: true }
  const { name, ttl, path } = affinity.cookie
  const life = ttl === undefined ? { session: true } : { ttl: `${durationMs(ttl) / 1000}s` }
  return { field: 'cookie', fieldValue: name, cookieConfig: { ...life, ...(path === undefined ? {} : { path }) } }
}
