import type { ClusterDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { MIGRATED_FROM, type OsmMigrationRequest } from '../../model/migration.ts'
import type { Store } from '../../ports/store.ts'

/**
 * What a call is about. `target`: the services are for another cluster. In place: `hold` registers them on no cluster, while Open Service
 * Mesh is still there; `switch` brings those to the cluster, which has Istio by then.
 */
export type Stage = 'target' | 'hold' | 'switch'

export interface Places {
  readonly stage: Stage
  /** The cluster that is read. */
  readonly source: ClusterDocument
  /** Where the services are to be: the source itself, in place. */
  readonly place: ClusterDocument
}

/** The clusters that a call names, and whether their meshes are what a migration goes between. */
export async function findPlaces(
  store: Store,
  cluster: string,
  { target, inPlace }: Pick<OsmMigrationRequest, 'target' | 'inPlace'>,
  nowMs: number,
): Promise<Result<Places>> {
  const source = (await store.read('cluster', cluster))?.value
  if (!source || source.deletingAt !== undefined) return fail('NotFound', `There is no cluster ${cluster}.`)
  if (inPlace && Date.parse(inPlace.window.until) <= nowMs)
    return refuseMigration('/inPlace/window/until', 'is over', 'Declare a window that is still to come.')
  const isOsm = source.mesh?.provider === 'osm'
  if (inPlace && source.mesh?.provider === 'istio') return succeed({ stage: 'switch', source, place: source })
  if (!isOsm) {
    const has = source.mesh?.provider ?? 'no mesh that is known'
    const hint =
      'GET the cluster to see its mesh. Where two are found, name it: PATCH { "mesh": { "provider": "osm" } }.'
    return refuseMigration('path/cluster', `has ${has}, and not Open Service Mesh`, hint)
  }
  if (target === undefined) {
    if (source.spec.labels?.[MIGRATED_FROM] === undefined) return succeed({ stage: 'hold', source, place: source })
    return refuseMigration(
      'path/cluster',
      `has the label ${MIGRATED_FROM} already`,
      'PUT the cluster without it first.',
    )
  }
  const place = (await store.read('cluster', target))?.value
  if (!place || place.deletingAt !== undefined)
    return fail('UnknownReference', `There is no cluster ${target}.`, {
      errors: [{ pointer: '/target', reason: `there is no cluster ${target}` }],
    })
  if (place.mesh?.provider === 'istio') return succeed({ stage: 'target', source, place })
  const has = place.mesh?.provider ?? 'no mesh that is known'
  return refuseMigration('/target', `has ${has}, and not Istio`, 'Name a cluster with Istio, or migrate in place.')
}

/** The failure of a call that can be no migration. */
export function refuseMigration(pointer: string, reason: string, hint: string): Result<never> {
  return fail('InvalidCombination', `The migration cannot be made: ${pointer} ${reason}.`, {
    errors: [{ pointer, reason }],
    hint,
  })
}
