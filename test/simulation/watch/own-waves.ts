import { canonicalJson } from '../../../src/model/digest.ts'
import { type AnyDocument, keyOf, type ServiceDocument } from '../../../src/model/documents.ts'
import { mergePolicies } from '../../../src/model/policy/effective-policy.ts'
import { wordsOn } from '../../../src/model/policy/service-policy.ts'
import type { Broke } from './kinds.ts'

/** By the name that `idOf` gives. */
type Find = (id: string) => AnyDocument | undefined

/**
 * A change of a service's own words moves one cluster first, then no more than its wave, and none while a cluster of the wave before that
 * was in order has yet to carry it.
 */
export function checkOwnWaves(
  before: ServiceDocument | undefined,
  after: ServiceDocument,
  find: Find,
  broke: Broke,
): void {
  if (!before || after.deletingAt) return
  const moved = Object.keys(after.targets).filter((cluster) => isMoved(before, after, cluster, find))
  if (moved.length === 0) return
  if (after.generation > before.generation) {
    if (after.spec.waves !== 'off' && moved.length > 1) broke(`a PUT changed ${moved.join(', ')} at once`)
    return
  }
  const progress = after.spread?.progress
  const released = progress?.released.map(({ cluster }) => cluster) ?? []
  const stray = moved.find((cluster) => !released.includes(cluster))
  // Other overrides hold at once where a cluster has other labels.
  if (stray && canonicalJson(before.overridesOn) === canonicalJson(after.overridesOn))
    broke(`${stray} was changed beside wave ${progress?.wave} of ${released.join(', ')}`)
  if (progress?.wave === 1 && released.length > 1) broke(`the first wave is ${released.join(', ')}`)
  const last = before.spread?.goal === after.spread?.goal ? before.spread?.progress : undefined
  const behind = last?.released.find(
    ({ cluster, awaited }) =>
      awaited && last.generation === after.spread?.goal && !isLive(after, cluster, last.revision, find),
  )
  if (behind) broke(`wave ${progress?.wave} was let go while ${behind.cluster} has yet to carry the one before`)
}

function isMoved(before: ServiceDocument, after: ServiceDocument, name: string, find: Find): boolean {
  const cluster = find(`cluster/${name}`)
  if (cluster?.kind !== 'cluster' || !Object.hasOwn(before.targets, name)) return false
  const [was, is] = [before, after].map((one) => canonicalJson(mergePolicies(wordsOn(one, cluster)).policy))
  return was !== is
}

function isLive(service: ServiceDocument, name: string, revision: number, find: Find): boolean {
  const [cluster, placement] = [find(`cluster/${name}`), find(`placement/${keyOf(service)}/${name}`)]
  if (cluster?.kind !== 'cluster' || cluster.spec.mode === 'observe') return true
  if (!Object.hasOwn(service.targets, name) || service.spec.mode === 'observe') return true
  return placement?.kind === 'placement' && placement.liveRevision >= revision
}
