import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { allClusters } from './check-references.ts'
import { chooseClusters, retarget } from './choose-clusters.ts'
import { reconcileWork, serviceEvent } from './service-event.ts'

/**
 * After a cluster came, went or changed its labels: gives each service that chooses by label its clusters anew. A
 * cluster is not taken away from under a live rollout: the rollout's end asks again. One that goes back needs it no more.
 * The failure is a lost race on one of the services; the others are done.
 */
export async function selectClusters(deps: {
  readonly store: Store
  readonly clock: Clock
}): Promise<Result<undefined>> {
  const clusters = await allClusters(deps.store)
  let result: Result<undefined> = succeed(undefined)
  let after: string | undefined
  do {
    const page = await deps.store.list('service', { limit: 200, ...(after === undefined ? {} : { after }) })
    for (const { value: service } of page.value) {
      if (!Array.isArray(service.spec.clusters)) {
        const changed = await changeDocument(deps.store, 'service', keyOf(service), (stored) =>
          reselect(stored?.value, clusters, timestamp(deps.clock.now())),
        )
        if (!changed.ok) result = changed
      }
    }
    after = page.next
  } while (after !== undefined)
  return result
}

function reselect(
  before: ServiceDocument | undefined,
  clusters: Awaited<ReturnType<typeof allClusters>>,
  now: string,
): Result<Change<ServiceDocument, undefined>> {
  if (!before || before.deletingAt || Array.isArray(before.spec.clusters))
    return succeed({ kind: 'leave', value: undefined })
  const held = before.rollouts
    .filter(({ phase }) => phase !== 'rolling-back')
    .flatMap(({ targets }) => targets.map(({ cluster }) => cluster))
  const chosen = [...new Set([...chooseClusters(before.spec, clusters), ...held])].sort()
  const { targets, leaving } = retarget(before, chosen, before.spec.initialVersion)
  const same =
    Object.keys(targets).sort().join() === Object.keys(before.targets).sort().join() &&
    leaving.join() === before.leaving.join()
  if (same) return succeed({ kind: 'leave', value: undefined })
  const key = keyOf(before)
  const renderRevision = before.renderRevision + 1
  const event = serviceEvent(key, 'service.clusters', {
    id: String(renderRevision),
    time: now,
    actor: MESHWRIGHT,
    reason: 'LabelsMatched',
    message: `Service ${key} is now on: ${Object.keys(targets).join(', ') || 'no cluster'}.`,
  })
  const outbox = [...before.outbox, event, ...reconcileWork(key, [...Object.keys(targets), ...leaving], renderRevision)]
  return succeed({
    kind: 'write',
    document: { ...before, targets, leaving, renderRevision, updatedAt: now, outbox },
    value: undefined,
  })
}
