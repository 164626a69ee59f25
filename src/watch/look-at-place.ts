import type { FoundDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { foundId, splitFoundKey } from '../model/found.ts'
import { pluginPlace } from '../ports/ca-place.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import { lookAtBundles } from './look-at-bundles.ts'
import { lookAtPluginCa } from './look-at-plugin-ca.ts'
import { nextFound } from './record-found.ts'
import { registeredAuthorities } from './registered.ts'
import type { WatchDeps } from './watch-deps.ts'

/**
 * Looks at a place for certificates, registered or not, and records them with who was told of what. Reads only. A cluster that
 * is gone, or a plug-in CA that is gone or registered by now, takes its document with it. Trouble of the place becomes the
 * document's state. Throws PortError of the store.
 */
export async function lookAtPlace(deps: WatchDeps, key: string, session?: string): Promise<Result<unknown>> {
  const place = splitFoundKey(key)
  if (!place || place.place === 'vault') return succeed(undefined)
  const { store, clock } = deps
  const cluster = (await store.read('cluster', place.name, session))?.value
  const cas = await store.all('mesh-ca')
  const isGone = !cluster || cluster.deletingAt !== undefined
  const isWatched =
    place.place === 'cluster' || (pluginPlace(cluster) && !cas.some(({ spec }) => spec.cluster === place.name))
  if (isGone || !isWatched) return forget(deps, key)
  const before = (await store.read('found', key))?.value
  const attempts = (before?.attempts ?? 0) + 1
  const look =
    place.place === 'cluster'
      ? await lookAtBundles(deps, cluster, attempts)
      : await lookAtPluginCa(deps, cluster, attempts)
  const known = registeredAuthorities(cas)
  // What the cluster's bundles show is told of there, and once.
  const shown =
    place.place === 'cluster' ? [] : ((await store.read('found', `cluster/${place.name}`))?.value.certificates ?? [])
  const told = new Set([...known.keys(), ...shown.map(foundId)])
  return changeDocument(store, 'found', key, (stored): Result<Change<FoundDocument, undefined>> => {
    const document = nextFound(place, stored?.value, look, (one) => told.has(foundId(one)), clock.now())
    return succeed({ kind: 'write', document, value: undefined })
  })
}

/** What was found at a place that is looked at no more is forgotten. */
export async function forget({ store }: Pick<WatchDeps, 'store'>, key: string): Promise<Result<unknown>> {
  return changeDocument(store, 'found', key, (stored): Result<Change<FoundDocument, undefined>> => {
    return succeed(stored ? { kind: 'remove', value: undefined } : { kind: 'leave', value: undefined })
  })
}
