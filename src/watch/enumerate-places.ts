import { FOUND_PLACES, foundKey } from '../model/found.ts'
import { watchQueue } from '../model/watch-queue.ts'
import { pluginPlace } from '../ports/ca-place.ts'
import type { EnumerateDeps } from './watch-deps.ts'

/**
 * Puts a look at every cluster on the queues, and one at each plug-in CA that nobody registered; also at what was looked at
 * before, so that what is gone is forgotten. Only enumerates. The value is how many. Throws PortError.
 */
export async function enumeratePlaces({ store, queue }: EnumerateDeps): Promise<number> {
  const [clusters, cas, found] = await Promise.all([store.all('cluster'), store.all('mesh-ca'), store.all('found')])
  const registered = new Set(cas.map(({ spec }) => spec.cluster))
  const keys = new Set(found.filter(({ place }) => place !== 'vault').map(foundKey))
  for (const cluster of clusters) {
    keys.add(foundKey({ place: 'cluster', name: cluster.name }))
    if (pluginPlace(cluster) && !registered.has(cluster.name))
      keys.add(foundKey({ place: 'plug-in-ca', name: cluster.name }))
  }
  // Bundles first: what they show is not told of again.
  const sorted = [...keys].sort((one, other) => orderOf(one) - orderOf(other))
  for (const key of sorted) await queue.send(watchQueue(key), { kind: 'watch', found: key })
  return sorted.length
}

function orderOf(key: string): number {
  return FOUND_PLACES.findIndex((place) => key.startsWith(`${place}/`))
}
