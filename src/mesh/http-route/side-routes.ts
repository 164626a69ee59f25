import { digest } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { SideRoute } from '../../model/placement.ts'
import { type Filter, isSideRule, type Rule, rulesOf, versionsByService, withRules } from './rule.ts'

/** What a route of ours sends to versions besides their weights, in a fixed order. */
export function sideRoutes(object: KubeObject): readonly SideRoute[] {
  const versions = versionsByService(object)
  if (!versions) return []
  const parts = new Map<string, unknown[]>()
  const add = (kind: SideRoute['kind'], service: string | undefined, content: unknown) => {
    const key = `${kind} ${versions.get(service ?? '') ?? ''}`
    parts.set(key, [...(parts.get(key) ?? []), content])
  }
  for (const { backendRefs = [], filters = [], matches, ...rest } of rulesOf(object)) {
    const own = { matches, filters: filters.filter((filter) => !isMirror(filter)), rest }
    if (isSideRule({ backendRefs })) add('match', backendRefs[0]?.name, own)
    for (const filter of filters.filter(isMirror))
      add('mirror', filter.requestMirror?.backendRef?.name, [matches, filter])
  }
  return [...parts.keys()].sort().map((key) => {
    const [kind, version = ''] = key.split(' ') as [SideRoute['kind'], string]
    return { kind, version, content: digest(parts.get(key)).slice(0, 27) }
  })
}

/** A route of ours without what it sends by these kinds of side routes to these versions. */
export function withoutSideRoutes(object: KubeObject, leaving: readonly SideRoute[]): KubeObject {
  const versions = versionsByService(object)
  const leaves = (kind: SideRoute['kind'], service: string | undefined) =>
    leaving.some((route) => route.kind === kind && route.version === (versions?.get(service ?? '') ?? ''))
  const rules = rulesOf(object).flatMap((rule): readonly Rule[] => {
    if (isSideRule(rule) && leaves('match', rule.backendRefs?.[0]?.name)) return []
    const { filters, ...rest } = rule
    if (!filters) return [rule]
    const kept = filters.filter(
      (filter) => !(isMirror(filter) && leaves('mirror', filter.requestMirror?.backendRef?.name)),
    )
    return [kept.length === 0 ? rest : { ...rule, filters: kept }]
  })
  return withRules(object, rules)
}

function isMirror({ type }: Filter): boolean {
  return type === 'RequestMirror'
}
