import { CERTIFICATE, MANAGED_BY, MANAGER, revisionOf } from '../../mesh/marks.ts'
import { freezesOfCluster } from '../../model/active-freezes.ts'
import { isCaRotationOver } from '../../model/ca-rotation.ts'
import { isUrgent } from '../../model/expiry.ts'
import { describeRef, type KubeObject, refOf } from '../../model/kube.ts'
import type { Obstacle, Permission } from '../certificates/obstacles.ts'
import { describeForeign } from '../owners.ts'
import { type Effect, forbids } from '../permission.ts'
import { LOOK_AGAIN_MS } from '../situation.ts'
import { FENCED_OFF } from '../write.ts'
import { anchorOf, certificatesIn } from './chains.ts'
import type { IdentityScene, LiveIdentity } from './identity-scene.ts'
import { keeperOf } from './keepers.ts'

/** An object that others keep, or that a newer revision wrote; undefined when it may be ours to write. */
export function ownershipObstacle({ intent, now }: IdentityScene, live: KubeObject | undefined): Obstacle | undefined {
  if (!live) return undefined
  const again = now + LOOK_AGAIN_MS
  const keeper = keeperOf(live)
  if (keeper) {
    const message = `${keeper.name} keeps ${describeForeign(live)} and would put it back. ${keeper.wayOut}`
    return { reason: 'Conflict', message, again }
  }
  const revision = revisionOf(live)
  if (revision === undefined || revision <= intent.revision) return undefined
  const message =
    `${describeRef(refOf(live))} bears revision ${revision}, newer than ${intent.revision}: another Meshwright, or one with ` +
    'newer data, wrote it. Take its annotation meshwright.io/revision away once that no longer runs.'
  return { reason: FENCED_OFF, message, again }
}

/** An object that another CA of this cluster keeps; undefined: none does. A deleted one left it here. Throws PortError. */
export async function rivalObstacle(
  { deps, ca, cluster, now }: IdentityScene,
  live: KubeObject | undefined,
): Promise<Obstacle | undefined> {
  const of = live?.metadata.labels?.[MANAGED_BY] === MANAGER ? live.metadata.annotations?.[CERTIFICATE] : undefined
  if (!live || of === undefined || of === ca.name) return undefined
  const rival = (await deps.store.read('mesh-ca', of))?.value
  if (!rival || rival.deletingAt !== undefined || rival.spec.cluster !== cluster.name) return undefined
  const message = `${describeRef(refOf(live))} belongs to certificate ${of}: delete one of the two.`
  return { reason: 'Conflict', message, again: now + LOOK_AGAIN_MS }
}

/** What holds every write, whatever is to be written: observe, a deletion, holds on the namespace or on one of the objects. */
export function standingObstacle(scene: IdentityScene, { configMap, secret }: LiveIdentity): Obstacle | undefined {
  return holdOn(scene, configMap, 'structure') ?? (scene.intent.issuer ? holdOn(scene, secret, 'structure') : undefined)
}

/**
 * May an object be written now? A freeze that covers configuration, of this cluster or of any namespace of it, holds what
 * changes: not the way back, nor what replaces a CA of which a part ends within 7 days, or in the last fifth of its life.
 */
export function permissionFor(
  scene: IdentityScene,
  live: LiveIdentity,
  object: KubeObject | undefined,
  effect: Effect,
): Permission {
  const { cluster, freezes, ca, now } = scene
  const obstacle = holdOn(scene, object, effect)
  if (obstacle) return { obstacle }
  const active = freezesOfCluster(freezes, cluster, 'configuration', now)
  const isBack = ca.rotation?.direction === 'back' && !isCaRotationOver(ca.rotation)
  if (effect === 'mark' || active.length === 0 || isBack) return {}
  if (endsSoon(live, now)) return { passed: active.map(({ name }) => name) }
  const ends = active.map(({ spec }) => (spec.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(spec.until)))
  const message = `Frozen by ${active.map(({ name, spec }) => `${name} (${spec.reason})`).join(', ')}.`
  return { obstacle: { reason: 'FreezeActive', message, again: Math.min(Math.max(...ends), now + LOOK_AGAIN_MS) } }
}

function holdOn(
  { cluster, namespace, now }: IdentityScene,
  live: KubeObject | undefined,
  effect: Effect,
): Obstacle | undefined {
  const service = { namespace: namespace.metadata.name, name: '', generation: 0, renderRevision: 0, rollouts: [] }
  const stop = forbids({ service, cluster, freezes: [], now, observed: { namespace } }, effect, live)
  if (!stop) return undefined
  const again = typeof stop.again === 'number' ? stop.again : now + LOOK_AGAIN_MS
  return { reason: stop.reason, message: stop.message, again }
}

/** Does the issuer on the cluster end soon, or the anchor that it stands on? By the rule of the rotation that asks for it. */
function endsSoon({ anchors, issuer }: LiveIdentity, now: number): boolean {
  const [certificate] = certificatesIn(issuer.chain)
  const parts = [certificate, anchorOf(issuer.chain, anchors)].filter((one) => one !== undefined)
  return parts.some(({ validFrom, validTo }) => isUrgent({ notBefore: validFrom, notAfter: validTo }, now))
}
