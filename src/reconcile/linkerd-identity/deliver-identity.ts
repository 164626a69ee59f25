import { textHash } from '../../mesh/linkerd/identity.ts'
import { timestamp } from '../../model/names.ts'
import type { TrustState } from '../../model/trust.ts'
import type { Told } from '../certificates/delivery-pass.ts'
import type { Obstacle } from '../certificates/obstacles.ts'
import { LOOK_AGAIN_MS } from '../situation.ts'
import { fingerprintOf } from './chains.ts'
import { anchorsDifference, issuerDifference } from './desired.ts'
import { anchorsObstacle, issuerObstacle } from './gates.ts'
import type { IdentityPass } from './identity-pass.ts'
import type { IdentityScene, LiveIdentity } from './identity-scene.ts'
import { ownershipObstacle, rivalObstacle, standingObstacle } from './obstacles.ts'
import { orderOf, type Part } from './order.ts'
import { writePart } from './write-part.ts'

/**
 * Brings the anchors and the issuer of a CA to Linkerd's ConfigMap and Secret, in the order in which no issuer ever signs that
 * stands on none of the anchors, each read back byte by byte. Writes nothing that is there already: after a crash it goes on
 * where it ended. What holds it is an answer. Throws PortError of the cluster, `precondition` and `conflict` where another was
 * first and all must be read again.
 */
export async function deliverIdentity(scene: IdentityScene, live: LiveIdentity): Promise<IdentityPass> {
  const obstacle =
    standingObstacle(scene, live) ??
    (await ownership(scene, live)) ??
    (isWhole(scene, live) ? undefined : order(scene, live).refusal)
  const progress: Progress = { live, told: [], wrote: false, wroteAnchors: false, restored: false }
  const ended = obstacle ? { ...progress, trouble: obstacle } : await writeAll(scene, progress)
  return {
    live: ended.live,
    told: ended.told,
    restored: ended.restored,
    ...(ended.trouble ? { trouble: ended.trouble } : {}),
    ...deliveredNow(scene, ended),
  }
}

/** How far a pass has come. */
interface Progress extends Pick<IdentityPass, 'live' | 'trouble'> {
  readonly told: readonly Told[]
  /** Something that Linkerd reads was written. */
  readonly wrote: boolean
  /** The anchors were. */
  readonly wroteAnchors: boolean
  readonly restored: boolean
}

async function ownership(scene: IdentityScene, { configMap, secret }: LiveIdentity): Promise<Obstacle | undefined> {
  const objects = scene.intent.issuer ? [configMap, secret] : [configMap]
  for (const object of objects) {
    const found = ownershipObstacle(scene, object) ?? (await rivalObstacle(scene, object))
    if (found) return found
  }
  return undefined
}

function order({ intent, now }: IdentityScene, live: LiveIdentity): { parts: readonly Part[]; refusal?: Obstacle } {
  const found = orderOf(live, intent, now)
  return 'reason' in found ? { parts: [], refusal: { ...found, again: now + LOOK_AGAIN_MS } } : { parts: found }
}

async function writeAll(scene: IdentityScene, begun: Progress): Promise<Progress> {
  let progress = begun
  for (const part of order(scene, begun.live).parts) {
    const difference = (part === 'anchors' ? anchorsDifference : issuerDifference)(scene, progress.live)
    if (difference === 'none') continue
    const gate = difference === 'mark' ? undefined : await gateOf(part, scene, progress.live)
    if (gate) return { ...progress, trouble: gate }
    const { live, trouble, told, restored } = await writePart(part, scene, progress.live, difference)
    progress = {
      live,
      told: [...progress.told, ...told],
      wrote: progress.wrote || difference !== 'mark',
      wroteAnchors: progress.wroteAnchors || (part === 'anchors' && difference !== 'mark'),
      restored: progress.restored || restored === true,
    }
    if (trouble) return { ...progress, trouble }
  }
  return progress
}

function gateOf(part: Part, scene: IdentityScene, live: LiveIdentity): Promise<Obstacle | undefined> {
  return part === 'anchors' ? anchorsObstacle(scene, live) : issuerObstacle(scene, live)
}

/** What is there, if it is what was brought: now, or by a pass before. */
function deliveredNow(scene: IdentityScene, { live, wrote, wroteAnchors }: Progress): Pick<TrustState, 'delivered'> {
  const { intent, before, deps } = scene
  const known = before?.cluster === scene.cluster.name ? before.delivered : undefined
  const seen = { anchors: textHash(live.anchors), issuer: fingerprintOf(live.issuer.chain) }
  const now = timestamp(deps.clock.now())
  // Proxies and the control plane read anchors when they start: what else is written asks nobody to start again.
  const anchorsAt = known?.anchors === seen.anchors && !wroteAnchors ? (known.anchorsAt ?? known.at) : now
  if (isWhole(scene, live)) {
    const isKnown = known?.revision === intent.revision && !wrote
    return { delivered: { revision: intent.revision, ...seen, at: isKnown ? known.at : now, anchorsAt } }
  }
  const isKept = known && known.anchors === seen.anchors && known.issuer === seen.issuer
  return isKept ? { delivered: { ...known, anchorsAt } } : {}
}

function isWhole(scene: IdentityScene, live: LiveIdentity): boolean {
  return anchorsDifference(scene, live) === 'none' && issuerDifference(scene, live) === 'none'
}
