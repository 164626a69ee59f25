import { freezesOfCluster } from '../model/active-freezes.ts'
import { isCaRotationOver } from '../model/ca-rotation.ts'
import type { ClusterDocument, FreezeDocument, MeshCaDocument } from '../model/documents.ts'
import { troubleOf } from '../ports/vault-trouble.ts'
import { windowState } from '../ports/window-state.ts'
import { type MeshCaDeps, openCaVault } from './deps.ts'
import type { CaHold, Observations } from './observations.ts'
import { readFour, seeFour } from './read-vault.ts'
import { watchedBecause } from './watched.ts'

const DAY_MS = 86_400_000

/** Looks at everything that decides what comes next for a mesh CA. Throws PortError when the store does not answer. */
export async function observeCa(deps: MeshCaDeps, document: MeshCaDocument): Promise<Observations> {
  const { name, spec, rotation } = document
  const cluster = (await deps.store.read('cluster', spec.cluster))?.value
  const watched = watchedBecause(spec, cluster)
  const isLive = rotation !== undefined && !isCaRotationOver(rotation)
  const [vault, trust, freezes, others] = await Promise.all([
    watched ? NOT_READ : lookAtVault(deps, document, cluster),
    deps.store.read('trust', name),
    isLive ? deps.store.all('freeze') : [],
    isLive && rotation.begunAt === undefined ? deps.store.all('mesh-ca') : [],
  ])
  const now = deps.clock.now()
  return {
    now,
    vault,
    trust: trust?.value,
    holds: [
      ...clusterHolds(spec.cluster, cluster),
      ...freezeHolds(cluster, freezes, now),
      ...turnHolds(document, others, now),
    ],
    window: windowState(spec.windows, now),
    ...(watched ? { watched } : {}),
  }
}

const NOT_READ = { problems: [], versions: {}, marks: {} } as const

async function lookAtVault(
  deps: MeshCaDeps,
  { name, spec, current }: MeshCaDocument,
  cluster: ClusterDocument | undefined,
) {
  try {
    return await seeFour(
      await readFour(openCaVault(deps, name, spec, cluster)),
      deps.clock.now(),
      spec.purpose,
      current,
    )
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
  const { aks } = cluster
  if (!aks) return []
  if (aks.powerState === 'Stopped')
    return [{ kind: 'cluster', reason: 'ClusterStopped', message: `Cluster ${name} is stopped.` }]
  if (!SETTLED.includes(aks.provisioningState)) {
    const message = `Azure is changing cluster ${name} (${aks.provisioningState}): its control plane may be restarted meanwhile.`
    return [{ kind: 'cluster', reason: 'ClusterChanging', message }]
  }
  if ((aks.mesh?.revisions.length ?? 0) < 2) return []
  const message = `Cluster ${name} runs two mesh revisions (${aks.mesh?.revisions.join(', ')}): complete or roll back the upgrade first.`
  return [{ kind: 'cluster', reason: 'MeshUpgrade', message }]
}

/** What a change that failed left is not being changed. */
const SETTLED = ['Succeeded', 'Failed', 'Canceled']

/** A mesh CA is of every namespace: a freeze of one of its cluster's holds it. */
function freezeHolds(
  cluster: ClusterDocument | undefined,
  freezes: readonly FreezeDocument[],
  now: number,
): readonly CaHold[] {
  return (cluster ? freezesOfCluster(freezes, cluster, now) : []).map(({ name, spec }) => ({
    kind: 'freeze',
    reason: 'Frozen',
    message: `Freeze ${name} holds: ${spec.reason}.`,
    ...(spec.until === undefined ? {} : { until: Date.parse(spec.until) }),
  }))
}

/** One cluster a day: what goes wrong shows on one before the next begins. */
function turnHolds({ name, spec }: MeshCaDocument, others: readonly MeshCaDocument[], now: number): readonly CaHold[] {
  return others.flatMap((other) => {
    const { rotation } = other
    const begun = rotation?.from && rotation.begunAt !== undefined ? Date.parse(rotation.begunAt) : Number.NaN
    if (other.name === name || other.spec.cluster === spec.cluster || !(begun > now - DAY_MS)) return []
    const message = `The CA of cluster ${other.spec.cluster} had its turn within a day: one cluster a day.`
    return [{ kind: 'turn', reason: 'WaitsForTurn', message, until: begun + DAY_MS } as const]
  })
}
