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
  return freezes.filter(({ spec }) => holdsNow(spec, covers, now) && inScope(spec.scope, target))
}

/** Of what is of every namespace of a cluster: a freeze of one of them holds it. */
export function freezesOfCluster(
  freezes: readonly FreezeDocument[],
  cluster: FreezeTarget['cluster'],
  covers: 'rollouts' | 'configuration',
  now: number,
): readonly FreezeDocument[] {
  return freezes.filter(({ spec }) => holdsNow(spec, covers, now) && reaches(spec.scope, { cluster }))
}

function holdsNow({ covers, from, until }: FreezeDocument['spec'], asked: string, now: number): boolean {
  if (!covers.some((one) => one === asked)) return false
  return (from === undefined || Date.parse(from) <= now) && (until === undefined || Date.parse(until) > now)
}

function inScope(scope: FreezeDocument['spec']['scope'], target: FreezeTarget): boolean {
  if (scope.services && !scope.services.includes(target.service)) return false
  if (scope.namespaces && !scope.namespaces.includes(target.namespace)) return false
  return reaches(scope, target)
}

function reaches(scope: FreezeDocument['spec']['scope'], target: Pick<FreezeTarget, 'cluster'>): boolean {
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
