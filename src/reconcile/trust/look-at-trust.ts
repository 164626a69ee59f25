import { meshOf } from '../../mesh/mesh-of.ts'
import type { ClusterDocument, MeshCaDocument, TrustDocument } from '../../model/documents.ts'
import { isPortError, PortError } from '../../ports/port-error.ts'
import type { Stored } from '../../ports/store.ts'
import { isRace } from '../apply.ts'
import { backoffMs, troubleOf } from '../failures.ts'
import { isLinkerdCa } from '../linkerd-identity/identity-scene.ts'
import { gatherFigures } from './gather-figures.ts'
import { gatherTrust, type TrustSeen } from './gather-trust.ts'
import { gatherWords } from './gather-words.ts'
import type { LeavesSeen } from './leaves-round.ts'
import { lookAgainMs } from './look-again.ts'
import { lookAtLinkerd } from './look-at-linkerd.ts'
import { readLeaves } from './read-leaves.ts'
import { nextTrust, type TrustLook } from './record-trust.ts'
import type { TrustDeps } from './trust-deps.ts'

export type { TrustDeps } from './trust-deps.ts'

/** The message that asks for a look. */
export interface TrustRequest {
  /** Name of the mesh CA. */
  readonly ca: string
  /** Session token of the write that asks for this, so that it is seen. */
  readonly session?: string
}

const ATTEMPTS = 4

/**
 * Looks at what a cluster trusts and at its proxies, and records it; the document's outbox holds the next look, and asks the
 * rotation to go on where it may wait for this. Only reads the cluster, but for Linkerd's, to which it first brings what the CA
 * is to have there. Nothing new writes nothing. A CA that is gone takes its document with it, and leaves the cluster as it is.
 * Throws PortError of the store; errors of cluster and metrics become the document's state.
 */
export async function lookAtTrust(deps: TrustDeps, request: TrustRequest): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1)
    if (await attemptOnce(deps, request, attempt < ATTEMPTS)) return
  const message = `Others wrote what was seen of ${request.ca} ${ATTEMPTS} times meanwhile.`
  throw new PortError('precondition', 'store', message)
}

/** False: another writer was first, and all must be read again. */
async function attemptOnce(
  deps: TrustDeps,
  { ca: name, session }: TrustRequest,
  mayTryAgain: boolean,
): Promise<boolean> {
  const { store, clock } = deps
  const [ca, trust] = await Promise.all([store.read('mesh-ca', name, session), store.read('trust', name, session)])
  if (!ca || ca.value.deletingAt !== undefined) return trust === undefined || settle(store.remove(trust))
  const cluster = (await store.read('cluster', ca.value.spec.cluster))?.value
  const look = await lookAt(deps, ca.value, cluster, trust, mayTryAgain)
  if (!look) return false
  const next = nextTrust(ca.value, trust?.value, look, clock.now())
  if (!trust) return settle(store.create(next))
  return next === trust.value || settle(store.replace(trust, next))
}

async function settle(write: Promise<unknown>): Promise<boolean> {
  try {
    await write
    return true
  } catch (error) {
    if (isPortError(error, 'conflict', 'precondition')) return false
    throw error
  }
}

async function lookAt(
  deps: TrustDeps,
  ca: MeshCaDocument,
  cluster: ClusterDocument | undefined,
  trust: Stored<TrustDocument> | undefined,
  mayTryAgain: boolean,
): Promise<TrustLook | undefined> {
  const { clock, random } = deps
  const attempts = (trust?.value.attempts ?? 0) + 1
  const failed = (reason: string, message: string) => {
    return { state: 'failed', reason, message, again: clock.now() + backoffMs(attempts, random) } as const
  }
  if (!cluster) return failed('ClusterUnknown', `Cluster ${ca.spec.cluster} is not registered.`)
  const provider = meshOf(cluster)?.provider
  if (provider === undefined) return failed('MeshUnknown', `No mesh was found on cluster ${cluster.name} yet.`)
  if (isLinkerdCa(ca)) {
    if (provider !== 'linkerd')
      return failed('NotLinkerd', `Cluster ${cluster.name} has ${provider}; only Linkerd has this CA.`)
    return orRace(lookAtLinkerd(deps, ca, cluster, trust?.value, mayTryAgain))
  }
  if (provider !== 'istio')
    return failed('NotIstio', `Cluster ${cluster.name} has ${provider}; only istiod has this CA.`)
  return lookAtIstio(deps, ca, cluster, trust?.value, attempts)
}

/** Undefined: another writer was first on the cluster. */
async function orRace(look: Promise<TrustLook>): Promise<TrustLook | undefined> {
  try {
    return await look
  } catch (error) {
    if (isPortError(error) && isRace(error)) return undefined
    throw error
  }
}

async function lookAtIstio(
  deps: TrustDeps,
  ca: MeshCaDocument,
  cluster: ClusterDocument,
  trust: TrustDocument | undefined,
  attempts: number,
): Promise<TrustLook> {
  const { clock, random } = deps
  const begunAt = clock.now()
  let seen: (TrustSeen & Pick<TrustLook, 'words'>) | undefined
  try {
    const api = await deps.clusters.connect(cluster)
    const before = trust?.cluster === cluster.name ? trust : undefined
    const words = await gatherWords(api, ca, before?.words)
    const { proxies, ...gathered } = await gatherTrust(api, ca)
    seen = { ...gathered, ...(words ? { words } : {}) }
    const figures = await gatherFigures(deps, cluster, ca)
    const leaves = await readLeaves(deps, api, ca, proxies, before ?? {})
    const now = clock.now()
    const again = now + againMs(ca, leaves, now)
    return { state: 'seen', begunAt, ...wordsOf(seen), ...seen, ...figures, ...leaves, again }
  } catch (error) {
    if (!isPortError(error)) throw error
    const { reason, message, retryMs } = troubleOf(error, attempts, random, false)
    const again = clock.now() + retryMs
    // The cluster answered, so it is its metrics that do not.
    if (seen) return { state: 'failed', reason: 'MetricsUnavailable', message, again, ...seen }
    return { state: 'failed', reason, message, again }
  }
}

/** A round that is under way goes on soon where a rotation waits for it. */
function againMs(ca: MeshCaDocument, { leavesRound }: LeavesSeen, now: number): number {
  const usual = lookAgainMs(ca, now)
  return leavesRound && ca.rotation?.phase === 'renewing' ? Math.min(usual, ROUND_MS) : usual
}

const ROUND_MS = 15_000

function wordsOf({ bundles, without }: TrustSeen): Pick<TrustLook, 'reason' | 'message'> {
  const count = bundles.reduce((sum, { namespaces }) => sum + namespaces, 0)
  if (without.length > 0) {
    const message = `istiod has written no trust bundle into ${without.join(', ')}, where proxies are wanted.`
    return { reason: 'BundlesMissing', message }
  }
  if (count === 0) return { reason: 'NoBundles', message: 'istiod has written no trust bundle yet.' }
  const differ =
    bundles.length === 1 ? 'all hold the same roots' : `they hold ${bundles.length} different sets of roots`
  return { reason: 'Looked', message: `${count} namespaces have a trust bundle; ${differ}.` }
}
