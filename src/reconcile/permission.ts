import { isHeld } from '../mesh/marks.ts'
import { activeFreezes } from '../model/active-freezes.ts'
import { liveRolloutOn } from '../model/desired-weights.ts'
import type { FreezeDocument } from '../model/documents.ts'
import { describeRef, type KubeObject, refOf } from '../model/kube.ts'
import { type ServiceSpec, serviceKey } from '../model/service.ts'
import { namespaceOf } from './hosts/host-as-service.ts'
import { LOOK_AGAIN_MS, type PlacedService, type Situation, type Stop } from './situation.ts'

/**
 * What a write does to traffic. `mark` moves the fence alone; `fall` gives requests back to stable, by weights or by taking
 * side routes away; `rise` gives them, or copies of them, to another version; the rest is configuration.
 */
export type Effect = 'creation' | 'structure' | 'rise' | 'fall' | 'mark' | 'removal'

type Scene = Pick<Situation, 'cluster' | 'freezes' | 'now'> & {
  readonly service: PlacedService & { readonly spec?: Pick<ServiceSpec, 'mode'> }
  readonly observed: Pick<Situation['observed'], 'namespace'>
}

/** Why a write may not be made; undefined when it may. `live` is the object it would change. */
export function forbids(scene: Scene, effect: Effect, live: KubeObject | undefined): Stop | undefined {
  return standingHold(scene, effect) ?? heldObject(scene, live) ?? frozen(scene, effect)
}

/** A stop that holds for the whole placement, whether or not there is anything to write. */
export function standingHold(scene: Scene, effect?: Effect): Stop | undefined {
  const again = scene.now + LOOK_AGAIN_MS
  if (scene.cluster.spec.mode === 'observe') {
    const message = `Cluster ${scene.cluster.name} is registered with mode observe: nothing is written there.`
    return { condition: 'Held', reason: 'ObserveMode', message, again }
  }
  // Whoever deletes it asks for the removal of what was written for it before.
  if (scene.service.spec?.mode === 'observe' && effect !== 'removal') {
    const key = serviceKey(scene.service.namespace, scene.service.name)
    const message = `Service ${key} is registered with mode observe: nothing is written for it.`
    return { condition: 'Held', reason: 'ObserveMode', message, again }
  }
  if (scene.cluster.deletingAt !== undefined && effect !== 'removal') {
    const message = `Cluster ${scene.cluster.name} is being deleted.`
    return { condition: 'Held', reason: 'ClusterDeleting', message, again }
  }
  if (isHeld(scene.observed.namespace?.metadata)) {
    const message = `Namespace ${namespaceOf(scene.service)} bears meshwright.io/hold.`
    return { condition: 'Held', reason: 'NamespaceHeld', message, again }
  }
  return undefined
}

/** A hold on an object of ours; undefined when there is none. */
export function heldObject(scene: Pick<Scene, 'now'>, live: KubeObject | undefined): Stop | undefined {
  if (!live || !isHeld(live.metadata)) return undefined
  const message = `${describeRef(refOf(live))} bears meshwright.io/hold.`
  return { condition: 'Held', reason: 'ObjectHeld', message, again: scene.now + LOOK_AGAIN_MS }
}

function frozen(scene: Scene, effect: Effect): Stop | undefined {
  if (effect === 'fall' || effect === 'mark') return undefined
  const { service, cluster, now } = scene
  const live = liveRolloutOn(service, cluster.name)
  // Broken glass opens what the rollout needs: its routes as well as its weights.
  if (live?.rollout.breakGlass && effect !== 'removal') return undefined
  const covers = live && effect === 'rise' ? 'rollouts' : 'configuration'
  const target = { service: serviceKey(service.namespace, service.name), namespace: namespaceOf(service), cluster }
  const active = activeFreezes(scene.freezes, target, covers, now)
  if (active.length === 0) return undefined
  const named = active.map(({ name, spec }) => `${name} (${spec.reason})`).join(', ')
  const message = `Frozen by ${named}.`
  return { condition: 'Frozen', reason: 'FreezeActive', message, again: endOf(active, now) }
}

/** When the last of the freezes ends, but not later than it takes to see that one was deleted. */
function endOf(active: readonly FreezeDocument[], now: number): number {
  const ends = active.map(({ spec }) => (spec.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(spec.until)))
  return Math.min(Math.max(...ends), now + LOOK_AGAIN_MS)
}
