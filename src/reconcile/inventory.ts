import { MANAGER } from '../mesh/marks.ts'
import { type KubeObject, type KubeRef, refOf } from '../model/kube.ts'
import type { InventoryEntry } from '../model/placement.ts'
import { serviceKey } from '../model/service.ts'
import type { Written } from './apply.ts'
import { isOurs } from './conflict.ts'
import { contentHash, holds, refKey } from './content.ts'
import { entryFor } from './drift.ts'
import type { Situation } from './situation.ts'
import { isWorkload } from './workloads/deployment.ts'

/**
 * What is ours on the cluster after a pass, and since when each object is as it is. An object that another hand changed
 * keeps its old entry until it is written again, so that the drift stays visible. `at` is RFC 3339.
 */
export function inventoryAfter(
  situation: Situation,
  written: readonly Written[],
  gone: readonly KubeRef[],
  at: string,
): readonly InventoryEntry[] {
  const before = situation.placement?.objects ?? []
  const removed = new Set(gone.map(refKey))
  const own = situation.rendered.map(({ object }) => refKey(refOf(object)))
  const current = situation.rendered.flatMap(({ object }) => entryOf(situation, object, written, at) ?? [])
  const made = written.filter(({ write, after }) => isWorkload(write.object) && isOurs(after, keyOf(situation), before))
  const workloads = new Map(
    made.map(({ write, after }) => [refKey(refOf(after)), entry(after, contentHash(write.object), at)]),
  )
  const rest = before
    .filter((entry) => !own.includes(refKey(entry)) && !workloads.has(refKey(entry)))
    .filter((entry) => !isWorkload(entry) || isStillThere(situation, entry))
  return [...current, ...workloads.values(), ...rest].filter((entry) => !removed.has(refKey(entry)))
}

/** Is a Deployment among those that were seen? What was not looked for may be there. */
function isStillThere({ observed }: Situation, entry: InventoryEntry): boolean {
  const deployments = observed.workloads?.deployments
  return !deployments || deployments.some(({ metadata }) => metadata.uid === entry.uid)
}

function entryOf(
  situation: Situation,
  object: KubeObject,
  written: readonly Written[],
  at: string,
): InventoryEntry | undefined {
  const ref = refOf(object)
  const before = entryFor(situation.placement?.objects, ref)
  const writes = written.filter(({ write }) => refKey(refOf(write.object)) === refKey(ref))
  const last = writes.at(-1)
  if (last) {
    const changed = writes.some(({ write }) => write.effect !== 'mark')
    const next = entry(last.after, contentHash(last.write.object), changed ? at : (before?.changedAt ?? at))
    return { ...next, ...writtenAt(changed ? serverTime(last.after) : before?.writtenAt) }
  }
  const live = situation.observed.objects.get(refKey(ref))
  if (live?.metadata.uid === undefined) return before
  if (!holds(live, object)) {
    return before ?? (isOurs(live, keyOf(situation), undefined) ? entry(live, contentHash(live), at) : undefined)
  }
  const next = { ...entry(live, contentHash(object), before?.changedAt ?? at), ...writtenAt(before?.writtenAt) }
  const same = before?.uid === next.uid && before.generation === next.generation && before.hash === next.hash
  return same ? next : { ...next, changedAt: at, ...writtenAt(serverTime(live)) }
}

/** An object as it stands on the cluster, for an inventory that did not know it. `at` is RFC 3339. */
export function recordedAs(live: KubeObject, at: string): InventoryEntry {
  return entry(live, contentHash(live), at)
}

function entry(live: KubeObject, hash: string, changedAt: string): InventoryEntry {
  return { ...refOf(live), uid: live.metadata.uid ?? '', generation: live.metadata.generation ?? 0, hash, changedAt }
}

function writtenAt(time: string | undefined): Pick<InventoryEntry, 'writtenAt'> {
  return time === undefined ? {} : { writtenAt: time }
}

/** When the server took our last apply. */
function serverTime({ metadata }: KubeObject): string | undefined {
  return metadata.managedFields?.find(({ manager, subresource }) => manager === MANAGER && !subresource)?.time
}

function keyOf({ service }: Situation): string {
  return serviceKey(service.namespace, service.name)
}

/**
 * When the newest change was written that proxies have to take, in epoch milliseconds; 0 when there is none. How many Pods
 * there are is none of these.
 */
export function lastChange(objects: readonly InventoryEntry[]): number {
  return Math.max(0, ...objects.filter((entry) => !isWorkload(entry)).map((entry) => Date.parse(entry.changedAt)))
}
