import type { ClusterDocument, FreezeDocument } from './documents.ts'

/** What a freeze is asked about. */
export interface FreezeTarget {
  readonly service: string
  readonly namespace: string
  readonly cluster: Pick<ClusterDocument, 'name' | 'spec'>
}

/** The freezes that hold at `now` for one service on one cluster and cover the given kind of change. */
export function activeFreezes(
  freezes: readonly FreezeDocument[],
  target: FreezeTarget,
  covers: 'rollouts' | 'configuration',
  now: number,
): readonly FreezeDocument[] {
  return freezes.filter(({ spec }) => {
    if (!spec.covers.includes(covers)) return false
    if (spec.from !== undefined && Date.parse(spec.from) > now) return false
    if (spec.until !== undefined && Date.parse(spec.until) <= now) return false
    return inScope(spec.scope, target)
  })
}

/** The freezes that hold at `now` for what is of a whole cluster: one of some of its services or namespaces holds it too. */
export function freezesOfCluster(
  freezes: readonly FreezeDocument[],
  { name, spec: { labels } }: Pick<ClusterDocument, 'name' | 'spec'>,
  now: number,
): readonly FreezeDocument[] {
  return freezes.filter(({ spec: { covers, from, until, scope } }) => {
    if (!covers.includes('configuration')) return false
    if ((from !== undefined && Date.parse(from) > now) || (until !== undefined && Date.parse(until) <= now))
      return false
    if (!scope.clusters) return true
    if ('matchLabels' in scope.clusters) return matchesLabels(labels, scope.clusters.matchLabels)
    return scope.clusters.includes(name)
  })
}

function inScope(scope: FreezeDocument['spec']['scope'], target: FreezeTarget): boolean {
  if (scope.services && !scope.services.includes(target.service)) return false
  if (scope.namespaces && !scope.namespaces.includes(target.namespace)) return false
  if (!scope.clusters) return true
  if ('matchLabels' in scope.clusters) return matchesLabels(target.cluster.spec.labels, scope.clusters.matchLabels)
  return scope.clusters.includes(target.cluster.name)
}

/** Does an object with `labels` answer to a selector? Every label of the selector must be there with its value. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}
