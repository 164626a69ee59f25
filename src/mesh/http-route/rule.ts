import type { KubeObject } from '../../model/kube.ts'
import { BACKENDS, backendsOf, backendsText } from './names.ts'

/** The parts of a route's rule that we write and read. Other members are carried along. */
export interface Rule {
  readonly matches?: readonly unknown[]
  readonly filters?: readonly Filter[]
  readonly backendRefs?: readonly BackendRef[]
  readonly [field: string]: unknown
}

export interface Filter {
  readonly type: string
  readonly requestMirror?: { readonly backendRef?: { readonly name?: string }; readonly percent?: number }
  readonly [field: string]: unknown
}

export interface BackendRef {
  readonly name: string
  readonly weight?: number
  readonly [field: string]: unknown
}

export type Weights = Readonly<Record<string, number>>

/** The weight of the only backend of a rule that sends all it takes to a candidate. In a split the weights have the sum 100. */
export const SIDE_WEIGHT = 1

/** The rules of a route; empty when it has none. */
export function rulesOf(object: KubeObject): readonly Rule[] {
  const rules = object.spec?.rules
  return Array.isArray(rules) ? (rules as Rule[]) : []
}

/** A rule that takes requests to a candidate before another splits the rest. */
export function isSideRule({ backendRefs }: Rule): boolean {
  return backendRefs?.length === 1 && (backendRefs[0]?.weight ?? 1) === SIDE_WEIGHT
}

/** A rule that splits requests between versions. */
export function isSplit(rule: Rule): boolean {
  return (rule.backendRefs?.length ?? 0) > 0 && !isSideRule(rule)
}

/**
 * Weights by version of a route in the form that we write: every rule that splits names Services of versions alone. When
 * rules differ, the highest of each (so the sum is no longer 100 and compares as changed). Undefined otherwise.
 */
export function routeWeights(object: KubeObject): Weights | undefined {
  const versions = versionsByService(object)
  const splits = rulesOf(object).filter(isSplit)
  if (!versions || splits.length === 0) return undefined
  const weights: Record<string, number> = {}
  for (const { name, weight = 1 } of splits.flatMap(({ backendRefs = [] }) => backendRefs)) {
    const version = versions.get(name)
    if (version === undefined) return undefined
    weights[version] = Math.max(weights[version] ?? 0, weight)
  }
  return weights
}

/** Versions by the Service that a route of ours names for them; undefined when it says nothing of them. */
export function versionsByService(object: KubeObject): ReadonlyMap<string, string> | undefined {
  const services = backendsOf(object)
  return services && new Map(Object.entries(services).map(([version, service]) => [service, version]))
}

/** A route of ours with other weights on the backends that it has. */
export function withWeights(object: KubeObject, weights: Weights): KubeObject {
  const versions = versionsByService(object)
  return withSplits(object, (parts) =>
    parts.map((part) => ({ ...part, weight: weights[versions?.get(part.name) ?? ''] ?? 0 })),
  )
}

/** A route of ours whose splits name these versions too, at weight 0, by these Services. */
export function withVersions(object: KubeObject, services: Readonly<Record<string, string>>): KubeObject {
  const own = backendsOf(object) ?? {}
  const all = { ...services, ...own }
  const wide = withSplits(object, (parts) => {
    const [model] = parts
    const missing = Object.keys(services).filter((version) => !parts.some(({ name }) => name === all[version]))
    if (!model || missing.length === 0) return parts
    const added = missing.map((version) => ({ ...model, name: all[version] ?? '', weight: 0 }))
    return [...parts, ...added].sort((a, b) => (a.name < b.name ? -1 : 1))
  })
  return withBackends(wide, all)
}

/** A route of ours that says that it names these Services. */
export function withBackends(object: KubeObject, services: Readonly<Record<string, string>>): KubeObject {
  const annotations = { ...object.metadata.annotations, [BACKENDS]: backendsText(services) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

/** A route with other rules. */
export function withRules(object: KubeObject, rules: readonly Rule[]): KubeObject {
  return { ...object, spec: { ...object.spec, rules } }
}

function withSplits(object: KubeObject, change: (parts: readonly BackendRef[]) => readonly BackendRef[]): KubeObject {
  return withRules(
    object,
    rulesOf(object).map((rule) => (isSplit(rule) ? { ...rule, backendRefs: change(rule.backendRefs ?? []) } : rule)),
  )
}
