import { type CaRotation, spreadMs } from '../model/ca-rotation.ts'
import type { TrustDocument } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import { risenFailures } from '../model/risen-failures.ts'
import type { IstiodWords } from '../model/trust.ts'
import { bundleProblem } from './bundles-gate.ts'
import { refusalGate, SEEN_BY_WORDS, wordsNote, wordsOn } from './istiod-words.ts'
import { areAllRenewed, leavesGate, leavesNote, SEEN_BY_LEAVES } from './leaves-gate.ts'
import { othersOf, shortcutNote } from './other-proxies.ts'
import type { Wanted } from './wanted.ts'

/** What a gate between phases says. */
export type Gate =
  /** `takenAt`: epoch milliseconds from which TTLs count. */
  | { readonly kind: 'open'; readonly takenAt: number; readonly note?: string }
  /** It is a matter of time, until `at` (epoch milliseconds) where that is known. */
  | {
      readonly kind: 'wait'
      readonly reason: string
      readonly message: string
      readonly at?: number
      readonly look?: true
    }
  /** A person has to look at it. */
  | { readonly kind: 'hold'; readonly reason: string; readonly message: string; readonly look?: true }

/** What istiod has not taken by then it has refused. */
export const REFUSED_MS = 15 * 60_000

export interface GateInput {
  readonly rotation: CaRotation
  readonly wanted: Wanted
  readonly trust: TrustDocument | undefined
  /** The longest life of a workload's certificate that is known of (`leafLifetimeMs`). */
  readonly workloadTtlMs: number
  /** Of Linkerd: the document's revision, which reconcile brings to the cluster. */
  readonly revision?: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** Of a phase that writes: has the cluster taken what the vault holds? */
export function takenGate(input: GateInput): Gate {
  const { rotation, trust, now, workloadTtlMs } = input
  const writtenAt = Date.parse(rotation.writtenAt ?? '')
  const isLate = now > writtenAt + REFUSED_MS
  const words = wordsOn(rotation, trust)
  const signer = rotation.phase === 'switching' ? signerSeen(rotation, trust) : undefined
  // All of its replicas sign with it, whatever one of them said before.
  const refused = signer ? undefined : refusalGate(rotation, trust, now)
  if (refused) return refused
  const unseen = lookProblem(trust, writtenAt, isLate)
  if (unseen) return unseen
  const found = bundleProblem(input)
  const bundles = found && `${found}${wordsNote(words)}`
  if (bundles)
    return isLate ? notTaken(rotation, bundles) : { kind: 'wait', reason: 'WaitsForBundles', message: bundles }
  const failing = failuresGate(input)
  if (failing) return failing
  const lookedAt = Date.parse(trust?.lookedAt ?? '')
  if (rotation.phase !== 'switching') return { kind: 'open', takenAt: lookedAt }
  if (signer) return { kind: 'open', takenAt: lookedAt }
  if (signer === undefined) return signerUnknown(words, { lookedAt, now, settled: writtenAt + spreadMs(workloadTtlMs) })
  const message = `istiod signs with another certificate than serial ${rotation.written?.signer.serial}, by its metrics.${wordsNote(words)}`
  return isLate ? notTaken(rotation, message) : { kind: 'wait', reason: 'WaitsForIstiod', message }
}

/** Metrics do not tell the signer: its own words do, or else time has to. */
function signerUnknown(
  words: IstiodWords | undefined,
  { lookedAt, now, settled }: { readonly lookedAt: number; readonly now: number; readonly settled: number },
): Gate {
  if (words?.state === 'taken') return { kind: 'open', takenAt: lookedAt, note: SEEN_BY_WORDS }
  if (words?.state === 'silent' && now < settled) {
    const message = `The cluster’s metrics do not tell which certificate istiod signs with.${wordsNote(words)}`
    return { kind: 'wait', reason: 'WaitsForIstiod', message, at: settled }
  }
  return { kind: 'open', takenAt: settled, note: `${UNKNOWN_SIGNER}${wordsNote(words)}` }
}

const UNKNOWN_SIGNER =
  'The cluster’s metrics do not tell which certificate istiod signs with: time counts from the write, not from what was seen.'

/** Of a phase that waits for proxies: has every one been renewed, or started, since the cluster took it? */
export function renewedGate(input: GateInput): Gate {
  const { rotation, trust, workloadTtlMs, now } = input
  const settled = settledAt(rotation, workloadTtlMs)
  const until = settled + workloadTtlMs
  // Neither restarts nor what Pods show tell of those that are none.
  const isTold = othersOf(trust) === 'none'
  const isShown = isTold && areAllRenewed(rotation, trust, settled)
  const restarted = isShown || (isTold && areRestarted(trust, settled))
  if (now < until && !restarted) {
    const what = rotation.phase === 'trusting' ? 'trusts what the vault holds' : 'holds a certificate of the new signer'
    const isUnknown = rotation.phase === 'renewing' && signerSeen(rotation, trust) === undefined
    const words = wordsOn(rotation, trust)
    const unknown = words?.state === 'taken' ? SEEN_BY_WORDS : `${UNKNOWN_SIGNER}${wordsNote(words)}`
    const note = isUnknown ? ` ${unknown}` : ''
    const message = `Every proxy ${what} by ${timestamp(until)}, a workload TTL after istiod took it${shortcutNote(trust)}.${note}${leavesNote(rotation, trust)}`
    const failing = failuresGate(input)
    return failing ?? { kind: 'wait', reason: 'WaitsForProxies', message, at: until }
  }
  const unseen = lookProblem(trust, restarted ? settled : until, now > until + REFUSED_MS)
  if (unseen) return unseen
  const bundles = bundleProblem(input)
  if (bundles) return { kind: 'hold', reason: 'BundlesChanged', message: bundles }
  if (rotation.phase === 'renewing' && signerSeen(rotation, trust) === false) {
    const message = `istiod signs with another certificate than serial ${rotation.written?.signer.serial} again, by its metrics.`
    return { kind: 'hold', reason: 'SignerChanged', message }
  }
  // Pods that were restarted since are of the new signer, whatever those before them showed.
  const leaves = restarted ? undefined : leavesGate(rotation, trust, until, now > until + REFUSED_MS)
  const seenBy = isShown ? { note: SEEN_BY_LEAVES } : {}
  return leaves ?? failuresGate(input) ?? { kind: 'open', takenAt: Date.parse(rotation.takenAt ?? ''), ...seenBy }
}

/** Epoch milliseconds: Pods that started later have what the phase waits for, whatever the TTL. */
export function settledAt({ takenAt }: Pick<CaRotation, 'takenAt'>, workloadTtlMs: number): number {
  return Date.parse(takenAt ?? '') + spreadMs(workloadTtlMs)
}

/** Pods that run since before the cluster took it may not have been renewed. */
function areRestarted(trust: TrustDocument | undefined, since: number): boolean {
  if (trust?.state !== 'seen' || trust.pods.count === 0 || trust.pods.oldestStart === undefined) return false
  return Date.parse(trust.pods.oldestStart) > since
}

/** A look that is not there, failed, or is not later than `since`, opens no gate. */
export function lookProblem(trust: TrustDocument | undefined, since: number, isLate: boolean): Gate | undefined {
  const isFresh = trust?.lookedAt !== undefined && Date.parse(trust.lookedAt) > since
  if (trust?.state === 'seen' && isFresh) return undefined
  const message =
    trust?.state === 'failed'
      ? `What the cluster trusts cannot be seen: ${trust.message}`
      : 'The cluster has not been looked at since.'
  const reason = trust?.state === 'failed' ? trust.reason : 'WaitsForLook'
  return { kind: isLate ? 'hold' : 'wait', reason, message, look: true }
}

/** Does the mesh sign with what was written? Undefined where its metrics do not tell, or cannot tell the two apart. */
export function signerSeen(
  { written, from, direction, root }: CaRotation,
  trust: TrustDocument | undefined,
): boolean | undefined {
  const shown = trust?.istiod?.chainNotAfter
  if (shown === undefined || !written) return undefined
  if (direction === 'on' && from && isSameSecond(from.signer.notAfter, written.signer.notAfter)) return undefined
  if (root && isSameSecond(root.certificate.notAfter, written.signer.notAfter)) return undefined
  return isSameSecond(shown, written.signer.notAfter)
}

function isSameSecond(one: string, other: string): boolean {
  return Math.abs(Date.parse(one) - Date.parse(other)) <= 1000
}

/** Connections that fail more than before the rotation began keep everything as it is. */
export function failuresGate({ trust, rotation }: Pick<GateInput, 'trust' | 'rotation'>): Gate | undefined {
  const risen = trust && risenFailures(trust, rotation)
  if (!risen) return undefined
  const message = `Connections to Pods of the mesh fail: ${risen.now} in the last window, ${risen.before} in the one before the rotation. It goes on when they do not; see why, or abort.`
  return { kind: 'hold', reason: 'FailuresRisen', message }
}

function notTaken({ phase, direction }: CaRotation, what: string): Gate {
  const wayOut =
    phase === 'narrowing' || direction === 'back'
      ? 'See why in its log; once it takes what the vault holds, this goes on.'
      : 'See why in its log; once it takes what the vault holds, this goes on, or abort.'
  const message = `istiod has not taken what the vault has held for 15 minutes. ${what} It may run without ISTIO_MULTIROOT_MESH, the Secrets Store driver may not rotate, or it may refuse the bundle ("Updating new ROOT-CA not supported", "Failed to update new Plug-in CA certs"). ${wayOut}`
  return { kind: 'hold', reason: 'NotTakenByIstiod', message, look: true }
}
