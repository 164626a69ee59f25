import { bearsMarks } from '../mesh/marks.ts'
import type { Provider } from '../mesh/provider.ts'
import { type KubeObject, refOf } from '../model/kube.ts'
import type { InventoryEntry } from '../model/placement.ts'
import { serviceKey } from '../model/service.ts'
import { refKey } from './content.ts'
import { describeForeign, toolOf } from './owners.ts'
import type { PlannedService, Situation, Stop } from './situation.ts'
import { LOOK_AGAIN_MS } from './situation.ts'

/** Is a live object ours, by its marks or because we wrote it? */
export function isOurs(live: KubeObject, service: string, objects: readonly InventoryEntry[] | undefined): boolean {
  if (bearsMarks(live.metadata, service)) return true
  return objects?.some((entry) => entry.uid === live.metadata.uid && refKey(entry) === refKey(refOf(live))) ?? false
}

/** Objects of others, under names of their own, that claim the service. */
export function findRivals(
  candidates: readonly KubeObject[],
  service: PlannedService,
  provider: Pick<Provider, 'claims' | 'rivals'>,
  own: readonly KubeObject[],
): readonly KubeObject[] {
  const ours = new Set(own.map((object) => refKey(refOf(object))))
  const key = serviceKey(service.namespace, service.name)
  // What an earlier render of ours left is pruned once the new one stands.
  const others = candidates.filter((object) => !ours.has(refKey(refOf(object))) && !bearsMarks(object.metadata, key))
  return provider.rivals?.(others) ?? others.filter((object) => provider.claims(object, service, own))
}

/** Of objects of others those that are not taken over. */
export function standingOf(
  { service, provider }: Pick<Situation, 'service' | 'provider'>,
  all: readonly KubeObject[],
): readonly KubeObject[] {
  if (!service.spec.adopt) return all
  const isTaken = (object: KubeObject) =>
    toolOf(object) === undefined &&
    object.metadata.namespace === service.namespace &&
    (provider.isAdoptable?.(object, service) ?? true)
  return all.filter((object) => !isTaken(object))
}

const NOT_TAKEN = 'Taken over is what is in its namespace and for it alone: remove it, or have its owner change it.'

function adoptHint(key: string): string {
  return `Remove it, or PUT ${key} with "adopt": true to take over those in its namespace that are for it alone.`
}

/**
 * Objects of others that stand in the way: under our names, or claiming the service. With `adopt` those of people in the
 * service's namespace that are for it alone are taken over; a tool would put its own back, and another namespace's owner did not ask.
 */
export function judgeConflict(
  situation: Pick<Situation, 'service' | 'provider' | 'now'>,
  sameName: readonly KubeObject[],
  rivals: readonly KubeObject[],
): { readonly taken: readonly KubeObject[]; readonly stop?: Stop } {
  const { service, now } = situation
  const standing = standingOf(situation, [...sameName, ...rivals])
  if (standing.length === 0) return { taken: rivals }
  const named = standing.map(describeForeign).sort().join('; ')
  const key = serviceKey(service.namespace, service.name)
  const tools = standing.map(toolOf).filter((tool) => tool !== undefined)
  const [reason, wayOut] =
    service.spec.adopt && tools.length > 0
      ? ['OwnedByTool', `${tools.join(', ')} would put it back: remove it there first.`]
      : ['OwnedByOthers', service.spec.adopt ? NOT_TAKEN : adoptHint(key)]
  return {
    taken: [],
    stop: {
      condition: 'Conflict',
      reason,
      message: `Others route requests for ${key}: ${named}. ${wayOut}`,
      again: now + LOOK_AGAIN_MS,
    },
  }
}
