import type { ServiceDocument } from '../model/documents.ts'
import { succeed } from '../model/failure.ts'
import { isHostKey } from '../model/host.ts'
import { timestamp } from '../model/names.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'
import { leaveHost } from './hosts/finish-host.ts'

/**
 * After the last object of a service is gone from a cluster: the service stops naming the cluster, or goes itself when it
 * is being deleted and is nowhere any more; then the placement goes. What their outboxes hold is sent on first. In this
 * order, so that after a crash the placement brings it up again. False: not all could be done yet. Throws PortError.
 */
export async function finishLeaving(
  deps: { readonly store: Store; readonly clock: Clock },
  service: string,
  cluster: string,
): Promise<boolean> {
  const { store } = deps
  if (isHostKey(service)) {
    const left = await leaveHost(deps, service, cluster)
    return left !== 'unsent' && (left === 'wanted' || removePrunedPlacement(store, `${service}/${cluster}`))
  }
  const stored = await store.read('service', service)
  if (stored?.value.deletingAt !== undefined && stored.value.outbox.length > 0) await store.relay('service', service)
  const changed = await changeDocument(store, 'service', service, (before) =>
    succeed(before ? leave(before.value, cluster, timestamp(deps.clock.now())) : NOTHING),
  )
  if (!changed.ok || changed.value.value === 'unsent') return false
  return changed.value.value === 'wanted' || removePrunedPlacement(store, `${service}/${cluster}`)
}

type Left = 'left' | 'unsent' | 'wanted'
const NOTHING: Change<ServiceDocument, Left> = { kind: 'leave', value: 'left' }

function leave(service: ServiceDocument, cluster: string, updatedAt: string): Change<ServiceDocument, Left> {
  const leaving = service.leaving.filter((name) => name !== cluster)
  if (service.deletingAt !== undefined) {
    const { [cluster]: _, ...targets } = service.targets
    if (leaving.length + Object.keys(targets).length > 0) {
      if (leaving.length === service.leaving.length && !Object.hasOwn(service.targets, cluster)) return NOTHING
      return { kind: 'write', document: { ...service, targets, leaving, updatedAt }, value: 'left' }
    }
    return service.outbox.length === 0 ? { kind: 'remove', value: 'left' } : { kind: 'leave', value: 'unsent' }
  }
  // It came back meanwhile: the placement is wanted again.
  const value = Object.hasOwn(service.targets, cluster) ? 'wanted' : 'left'
  if (leaving.length === service.leaving.length) return { kind: 'leave', value }
  return { kind: 'write', document: { ...service, leaving, updatedAt }, value }
}

async function removePrunedPlacement(store: Store, key: string): Promise<boolean> {
  let placement = await store.read('placement', key)
  if (placement?.value.outbox.some((entry) => entry.kind === 'event')) {
    await store.relay('placement', key)
    placement = await store.read('placement', key)
  }
  if (!placement) return true
  if (placement.value.outbox.some((entry) => entry.kind === 'event')) return false
  try {
    await store.remove(placement)
    return true
  } catch (error) {
    if (isPortError(error, 'conflict', 'precondition', 'not-found')) return false
    throw error
  }
}
