import { proxiedPort } from '../../mesh/istio/proxied-port.ts'
import { type KnownSigner, signerOfLeaf } from '../../mesh/trust/signer-of-leaf.ts'
import type { MeshCaDocument } from '../../model/documents.ts'
import type { KubeMetadata } from '../../model/kube.ts'
import { timestamp } from '../../model/names.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import { dueRound, type LeavesSeen, type OpenRound } from './leaves-round.ts'
import type { TrustDeps } from './trust-deps.ts'

const POD = { apiVersion: 'v1', kind: 'Pod' }
/** Of one look; the next goes on behind them. */
const MOST_PODS = 50
const AT_ONCE = 10
const MOST_EXAMPLES = 5

/**
 * Shakes hands with Pods that have a proxy, up to 50 a look in the order of their uids, until each was asked; what they showed is
 * counted by who signed it. Where none is due, what was seen before. Only addresses that the cluster gives for these Pods are
 * called. Never throws for a Pod that cannot be read.
 */
export async function readLeaves(
  { podHandshakes, clock }: Pick<TrustDeps, 'podHandshakes' | 'clock'>,
  api: ClusterApi,
  ca: MeshCaDocument,
  proxies: readonly KubeMetadata[],
  before: LeavesSeen,
): Promise<LeavesSeen> {
  if (ca.spec.purpose !== 'mesh-ca' || !ca.spec.handshakes) return {}
  const kept = { leaves: before.leaves, leavesRound: before.leavesRound }
  const round = dueRound(ca, before, clock.now())
  if (!round) return kept
  const waiting = [...proxies].filter(({ uid = '' }) => uid > round.cursor).sort((a, b) => order(a.uid, b.uid))
  const chosen = waiting.slice(0, MOST_PODS)
  const signers = signersOf(ca)
  const shown = await eachOf(chosen, (pod) => read(podHandshakes, api, pod, signers))
  const next = shown.reduce(count, round)
  const at = timestamp(clock.now())
  const { cursor, ...all } = { ...next, at, cursor: chosen.at(-1)?.uid ?? round.cursor }
  if (waiting.length > chosen.length) return { leaves: before.leaves, leavesRound: { ...all, cursor } }
  return { leaves: all, leavesRound: undefined }
}

function order(one = '', other = ''): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** What signs, what signed before, and what is current. */
function signersOf({ rotation, current }: MeshCaDocument): readonly KnownSigner[] {
  return [rotation?.written, rotation?.from, current].flatMap((set) =>
    set ? [{ serial: set.signer.serial, caCert: set.caCert }] : [],
  )
}

interface Shown {
  readonly pod: string
  /** Undefined: it showed none. */
  readonly signer: string | undefined
}

async function read(
  handshakes: TrustDeps['podHandshakes'],
  api: ClusterApi,
  { namespace = '', name, uid }: KubeMetadata,
  signers: readonly KnownSigner[],
): Promise<Shown | undefined> {
  const pod = `${namespace}/${name}`
  try {
    const [found] = await api.list(POD, { namespace, fieldSelector: `metadata.name=${name}` })
    if (found?.metadata.uid !== uid) return undefined
    const place = found && proxiedPort(found)
    const leaf = place && (await handshakes.leaf(place.address, place.port))
    return { pod, signer: leaf === undefined ? undefined : signerOfLeaf(leaf, namespace, signers) }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { pod, signer: undefined }
  }
}

/** A Pod that has gone meanwhile counts as nothing. */
function count(round: OpenRound, shown: Shown | undefined): OpenRound {
  if (!shown) return round
  const { pod, signer } = shown
  if (signer === undefined) return { ...round, unread: round.unread + 1 }
  const bySigner = { ...round.bySigner, [signer]: (round.bySigner[signer] ?? 0) + 1 }
  const others = signer === round.wanted ? round.others : [...round.others, pod].slice(0, MOST_EXAMPLES)
  return { ...round, read: round.read + 1, bySigner, others }
}

/** Ten at once; answers in the order of what was asked. */
async function eachOf<Item, Answer>(items: readonly Item[], ask: (item: Item) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = new Array(items.length)
  const indices = items.keys()
  const worker = async () => {
    for (const index of indices) answers[index] = await ask(items[index] as Item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker))
  return answers
}
