import type { MeshFacts } from '../../model/cluster.ts'
import type { KubeMetadata, KubeObject } from '../../model/kube.ts'
import type { EffectivePolicy } from '../../model/policy/effective-policy.ts'
import type { ServiceSpec } from '../../model/service.ts'

/** What is asked for: one service on one cluster. */
export interface Desired {
  readonly namespace: string
  readonly name: string
  readonly spec: ServiceSpec
  /** What holds there, and where each field comes from. */
  readonly policy: EffectivePolicy
  /** By version; a version that is not named gets no requests. */
  readonly weights: Readonly<Record<string, number>>
  readonly mesh: Pick<MeshFacts, 'provider' | 'namespace' | 'revision'>
}

/** An object of which metadata alone was read. */
export interface Named {
  readonly metadata: KubeMetadata
}

/** What was seen on the cluster. What was not looked at is undefined, and is checked by nobody. */
export interface Seen {
  readonly namespace: KubeObject | undefined
  readonly kubeService: KubeObject | undefined
  /** All Pods of the namespace. */
  readonly pods?: readonly Named[]
  /** Names of all namespaces. */
  readonly namespaces?: readonly string[]
  /** `shop/web` of all service accounts in the namespaces that the policy names. */
  readonly serviceAccounts?: readonly string[]
  /** Objects of others that claim the service, and are not taken over. */
  readonly rivals: readonly KubeObject[]
  /** What could not be looked at and why, a sentence each. */
  readonly unseen: readonly string[]
}

/** `Service shop/web`: the Kubernetes Service. */
export function serviceRef({ namespace, name }: Pick<Desired, 'namespace' | 'name'>): string {
  return `Service ${namespace}/${name}`
}

/**
 * Where a field of the effective policy stands in the service's body; undefined when a shared policy says it. `field` is
 * as in `origins`, `rest` what follows.
 */
export function pointerOf({ policy }: Pick<Desired, 'policy'>, field: string, rest = ''): string | undefined {
  const from = policy.origins[field]
  if (from === 'service') return `${field}${rest}`
  const override = from?.match(/^override (\d+)$/)?.[1]
  return override === undefined ? undefined : `/overrides/${override}${field}${rest}`
}

/** ` (policy team-shop)` where a shared policy says a field, to be added to a message. */
export function sourceOf({ policy }: Pick<Desired, 'policy'>, field: string): string {
  const from = policy.origins[field]
  return from?.startsWith('policy ') ? ` (${from})` : ''
}
