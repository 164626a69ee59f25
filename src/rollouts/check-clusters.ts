import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { RolloutTarget } from '../model/rollout.ts'
import { serviceKey } from '../model/service.ts'
import type { Store } from '../ports/store.ts'

/** The clusters of a rollout, in its order; or why it could never get live on one of them. */
export async function readClusters(
  store: Store,
  service: Pick<ServiceDocument, 'namespace' | 'name' | 'spec'>,
  targets: readonly RolloutTarget[],
): Promise<Result<readonly ClusterDocument[]>> {
  if (service.spec.mode === 'observe') {
    const key = serviceKey(service.namespace, service.name)
    return fail('Conflict', `No route can be written: ${key} is registered with mode observe.`, {
      hint: `PATCH the service with { "mode": "manage" } once its plan says what you want.`,
    })
  }
  const found = await Promise.all(
    targets.map(async ({ cluster: name }) => ({ name, cluster: (await store.read('cluster', name))?.value })),
  )
  const errors = found.flatMap(({ name, cluster }) => {
    const reason = obstacleOn(cluster)
    return reason === undefined ? [] : [{ pointer: '/clusters', reason: `${name} ${reason}` }]
  })
  if (errors.length === 0) return succeed(found.flatMap(({ cluster }) => cluster ?? []))
  return fail('Conflict', `No route can be written: ${errors.map(({ reason }) => reason).join('; ')}.`, {
    errors,
    hint: 'PUT the cluster with "mode": "manage", or name other clusters in the rollout.',
  })
}

function obstacleOn(cluster: ClusterDocument | undefined): string | undefined {
  if (!cluster) return 'is not registered any more'
  if (cluster.deletingAt !== undefined) return 'is being deleted'
  return cluster.spec.mode === 'observe' ? 'is registered with mode observe' : undefined
}
