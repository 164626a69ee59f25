import { isCaRotationOver } from '../../model/ca-rotation.ts'
import type { ClusterDocument, TrustDocument } from '../../model/documents.ts'
import { linkerdIntent } from '../../model/linkerd-intent.ts'
import { isPortError } from '../../ports/port-error.ts'
import { isRace } from '../apply.ts'
import type { Told } from '../certificates/delivery-pass.ts'
import { troubleOf } from '../failures.ts'
import { getNamespace } from '../gather.ts'
import { withoutData } from '../hidden-data.ts'
import { deliverIdentity } from '../linkerd-identity/deliver-identity.ts'
import type { IdentityPass } from '../linkerd-identity/identity-pass.ts'
import { type LinkerdCa, readIdentity } from '../linkerd-identity/identity-scene.ts'
import { gatherFigures } from './gather-figures.ts'
import { gatherLinkerd, type LinkerdSeen, longestLifetime } from './gather-linkerd.ts'
import { lookAgainMs } from './look-again.ts'
import type { TrustLook } from './record-trust.ts'
import type { TrustDeps } from './trust-deps.ts'

/** Longer anchors are not stored. */
const MOST_CHARACTERS = 100_000
const LATER_MS = 60_000

/** How far a look has come when something does not answer. */
type Known = Partial<LinkerdSeen & Pick<TrustLook, 'delivered' | 'restored' | 'told'>>

/**
 * Brings to a cluster of Linkerd what its CA is to have there, then looks at it. What holds the one does not hold the other. A
 * lost race on the cluster is thrown (PortError `precondition` or `conflict`) while `mayTryAgain`: all must be read again; other
 * errors of cluster and metrics are an answer.
 */
export async function lookAtLinkerd(
  deps: TrustDeps,
  ca: LinkerdCa,
  cluster: ClusterDocument,
  before: TrustDocument | undefined,
  mayTryAgain: boolean,
): Promise<TrustLook> {
  const attempts = (before?.attempts ?? 0) + 1
  let known: Known = {}
  const failed = (reason: string, message: string, again: number): TrustLook => {
    return { state: 'failed', reason, message: withoutData(message), again, ...known }
  }
  try {
    const api = await deps.clusters.connect(cluster)
    const name = ca.spec.namespace
    const namespace = await getNamespace(api, name)
    if (!namespace) {
      const message = `There is no namespace ${name} on cluster ${cluster.name}.`
      return failed('NamespaceMissing', message, deps.clock.now() + LATER_MS)
    }
    const pass = await bring(deps, { ca, cluster, before, api, namespace })
    // What was brought was read back: after that it is looked at.
    const begunAt = deps.clock.now()
    known = { delivered: pass.delivered ?? null, restored: pass.restored === true, told: toldOf(ca, before, pass) }
    if (pass.live.anchors.length + pass.live.issuer.chain.length > MOST_CHARACTERS)
      return failed('AnchorsTooLarge', 'The anchors of the cluster are too many.', deps.clock.now() + LATER_MS)
    const isLive = ca.rotation !== undefined && !isCaRotationOver(ca.rotation)
    const seen: LinkerdSeen = {
      ...(await gatherLinkerd(api, name, pass.live)),
      ...(isLive ? await longestLifetime(api, name, before?.cluster === cluster.name ? before : undefined) : {}),
    }
    known = { ...known, ...seen }
    if (pass.trouble) return failed(pass.trouble.reason, pass.trouble.message, pass.trouble.again)
    const figures = await gatherFigures(deps, cluster, ca)
    const now = deps.clock.now()
    return { state: 'seen', begunAt, ...wordsOf(seen), ...known, ...figures, again: now + lookAgainMs(ca, now, seen) }
  } catch (error) {
    if (!isPortError(error) || (mayTryAgain && isRace(error))) throw error
    const { reason, message, retryMs } = troubleOf(error, attempts, deps.random, false)
    // The cluster answered, so it is its metrics that do not.
    return failed(known.bundles ? 'MetricsUnavailable' : reason, message, deps.clock.now() + retryMs)
  }
}

/** A hold or a failure is told when it begins, and when its reason changes; so is what came to be there. */
function toldOf({ spec }: LinkerdCa, before: TrustDocument | undefined, pass: IdentityPass): readonly Told[] {
  const { delivered, trouble, told } = pass
  const isNew = delivered && delivered.revision !== before?.delivered?.revision && !trouble
  const what = `Anchors and issuer of Linkerd in namespace ${spec.namespace} on ${spec.cluster}`
  return [
    ...told,
    ...(isNew ? [{ type: 'certificate.delivered', reason: 'Delivered', message: `${what} are as wanted.` }] : []),
    ...(trouble && trouble.reason !== before?.reason
      ? [{ type: 'certificate.delivery-held', reason: trouble.reason, message: withoutData(trouble.message) }]
      : []),
  ]
}

type Place = Parameters<typeof deliverIdentity>[0]

async function bring(
  deps: TrustDeps,
  { ca, ...place }: Pick<Place, 'ca' | 'cluster' | 'before' | 'api' | 'namespace'>,
): Promise<IdentityPass> {
  const live = await readIdentity(place.api, ca.spec.namespace)
  const intent = linkerdIntent(ca)
  if (!intent) return { live, told: [] }
  const freezes = await deps.store.all('freeze')
  return deliverIdentity({ ...place, deps, ca, intent, freezes, now: deps.clock.now() }, live)
}

function wordsOf({ found, anchors = {}, pods }: LinkerdSeen): Pick<TrustLook, 'reason' | 'message'> {
  if (!found) return { reason: 'NoBundles', message: 'Linkerd has no ConfigMap linkerd-identity-trust-roots.' }
  const kinds = Object.keys(anchors).length
  const start =
    kinds <= 1 ? 'all started with the same anchors' : `they started with ${kinds} different sets of anchors`
  return {
    reason: 'Looked',
    message: pods.count === 0 ? 'No Pod has a proxy.' : `${pods.count} Pods have a proxy; ${start}.`,
  }
}
