import { freezesOfCluster } from '../model/active-freezes.ts'
import { isCaRotationOver } from '../model/ca-rotation.ts'
import { clusterChange } from '../model/cluster-changes.ts'
import type { ClusterDocument, FreezeDocument, MeshCaDocument } from '../model/documents.ts'
import { isSamePlace, placeOfCa } from '../ports/ca-place.ts'
import { troubleOf } from '../ports/vault-trouble.ts'
import { windowState } from '../ports/window-state.ts'
import { azureHolds } from './azure-hold.ts'
import { type MeshCaDeps, openCaVault } from './deps.ts'
import type { CaHold, Observations } from './observations.ts'
import { readFour, seeFour } from './read-vault.ts'
import { sharedHolds } from './shared-root.ts'
import { turnHolds } from './turn.ts'
import { twinHolds } from './twin-ca.ts'
import { watchedBecause } from './watched.ts'

/** Looks at everything that decides what comes next for a mesh CA. Throws PortError when the store does not answer. */
export async function observeCa(deps: MeshCaDeps, document: MeshCaDocument): Promise<Observations> {
  const { name, spec, rotation } = document
  const cluster = (await deps.store.read('cluster', spec.cluster))?.value
  const watched = watchedBecause(spec, cluster)
  const isLive = rotation !== undefined && !isCaRotationOver(rotation)
  const [vault, trust, freezes, turns, shared, twins] = await Promise.all([
    watched ? NOT_READ : lookAtVault(deps, document, cluster),
    deps.store.read('trust', name),
    isLive ? deps.store.all('freeze') : [],
    isLive && rotation.begunAt === undefined ? turnHolds(deps.store, document, deps.clock.now()) : [],
    sharedHolds(deps, document),
    twinHolds(deps, document),
  ])
  const now = deps.clock.now()
  const place = placeOfCa(document, cluster, deps.vaultUrl)
  return {
    now,
    ...(place ? { place } : {}),
    vault,
    trust: trust?.value,
    holds: [
      ...clusterHolds(spec.cluster, cluster),
      ...placeHolds(deps, document, cluster),
      ...freezeHolds(cluster, freezes, now),
      ...(isLive && cluster ? azureHolds(cluster, now) : []),
      ...turns,
      ...shared,
      ...twins,
    ],
    window: windowState(spec.windows, now),
    ...(watched ? { watched } : {}),
  }
}

const NOT_READ = { problems: [], versions: {}, marks: {} } as const

async function lookAtVault(deps: MeshCaDeps, document: MeshCaDocument, cluster: ClusterDocument | undefined) {
  const { spec, current } = document
  try {
    return await seeFour(await readFour(openCaVault(deps, document, cluster)), deps.clock.now(), spec.purpose, current)
  } catch (error) {
    return troubleOf(error)
  }
}

function clusterHolds(name: string, cluster: ClusterDocument | undefined): readonly CaHold[] {
  if (!cluster || cluster.deletingAt !== undefined)
    return [{ kind: 'closed', reason: 'ClusterGone', message: `Cluster ${name} is not registered.` }]
  if (cluster.spec.mode === 'observe') {
    const message = `Cluster ${name} is only observed: PATCH it to "mode": "manage" first.`
    return [{ kind: 'closed', reason: 'ClusterObserved', message }]
  }
  const change = clusterChange(name, cluster.aks)
  return change ? [{ kind: 'cluster', ...change }] : []
}

/** A cluster that reads other secrets now would be given another CA's. */
function placeHolds(
  deps: MeshCaDeps,
  { name, spec, place }: MeshCaDocument,
  cluster: ClusterDocument | undefined,
): readonly CaHold[] {
  const now = placeOfCa({ name, spec }, cluster, deps.vaultUrl)
  if (!place || (now && isSamePlace(place, now))) return []
  const reads = now ? `${now.vault} (${Object.values(now.secrets).join(', ')})` : 'no vault'
  const message = `This CA lies in ${place.vault} (${Object.values(place.secrets).join(', ')}); by its cluster and the settings it would be ${reads} now. Nothing is written: see to the plug-in CA of the cluster, or PUT the CA with the vault and secrets that are meant.`
  return [{ kind: 'closed', reason: 'PlaceChanged', message }]
}

/** A mesh CA is of every namespace: a freeze of one of its cluster's holds it. */
function freezeHolds(
  cluster: ClusterDocument | undefined,
  freezes: readonly FreezeDocument[],
  now: number,
): readonly CaHold[] {
  return (cluster ? freezesOfCluster(freezes, cluster, 'configuration', now) : []).map(({ name, spec }) => ({
    kind: 'freeze',
    reason: 'Frozen',
    message: `Freeze ${name} holds: ${spec.reason}.`,
    ...(spec.until === undefined ? {} : { until: Date.parse(spec.until) }),
  }))
}
