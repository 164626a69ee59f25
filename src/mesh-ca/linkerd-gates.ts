import { textHash } from '../mesh/linkerd/identity.ts'
import { isTakeover } from '../model/ca-rotation.ts'
import type { TrustDocument } from '../model/documents.ts'
import { formatDuration, timestamp } from '../model/names.ts'
import { failuresGate, type Gate, type GateInput, lookProblem, REFUSED_MS, settledAt, signerSeen } from './gates.ts'

/**
 * Gates of Linkerd. Its identity controller and its proxies read trust anchors only when they start, so no time opens what
 * waits for anchors: Pods have to be seen that started with them. Issuers are read while it runs.
 */

/** A Pod that started so soon after what it reads was written may have read what was there before: clocks, and kubelets. */
export const CLOCKS_MS = 10_000
/** What identity adds to the lifetime of a workload's certificate for clocks that differ. */
const SKEW_MS = 20_000

/** Of a phase that writes: is it brought to the cluster, and has the control plane taken it? */
export function linkerdTakenGate(input: GateInput): Gate {
  const { rotation, trust, now } = input
  const writtenAt = Date.parse(rotation.writtenAt ?? '')
  const isLate = now > writtenAt + REFUSED_MS
  const unseen = lookProblem(trust, writtenAt, isLate)
  if (unseen) return unseen
  const undelivered = deliveryProblem(input)
  if (undelivered !== undefined)
    return isLate
      ? { kind: 'hold', reason: 'NotDelivered', message: `${undelivered} It has been so for 15 minutes.`, look: true }
      : { kind: 'wait', reason: 'WaitsForDelivery', message: undelivered, look: true }
  const stop = failuresGate(input) ?? phaseGate(input, isLate)
  return stop ?? { kind: 'open', takenAt: Date.parse(trust?.lookedAt ?? '') }
}

function phaseGate(input: GateInput, isLate: boolean): Gate | undefined {
  const { rotation, trust } = input
  if (rotation.phase === 'switching') return issuerGate(input, isLate)
  const restarts = controlPlaneGate(trust)
  return restarts ?? (rotation.phase === 'narrowing' ? podsGate(input) : undefined)
}

/** Of a phase that waits for proxies: has every one started with the anchors, or been renewed by the issuer? */
export function linkerdRenewedGate(input: GateInput): Gate {
  return input.rotation.phase === 'trusting' ? trustingGate(input) : renewingGate(input)
}

function trustingGate(input: GateInput): Gate {
  const { rotation, trust, now } = input
  const isLate = now > Date.parse(rotation.phaseSince) + REFUSED_MS
  const unseen = lookProblem(trust, Date.parse(rotation.writtenAt ?? ''), isLate)
  const stop = unseen ?? changedGate(input) ?? failuresGate(input) ?? controlPlaneGate(trust) ?? podsGate(input)
  return stop ?? { kind: 'open', takenAt: Date.parse(rotation.takenAt ?? '') }
}

function renewingGate(input: GateInput): Gate {
  const { rotation, trust, workloadTtlMs, now } = input
  const takenAt = Date.parse(rotation.takenAt ?? '')
  const settled = settledAt(rotation, workloadTtlMs)
  const until = settled + workloadTtlMs + SKEW_MS
  const restarted = areRestarted(trust, settled)
  if (now < until && !restarted) {
    const message = `Every proxy holds a certificate of the new issuer by ${timestamp(until)}, a workload TTL after identity took it, or once the control plane and all meshed Pods were restarted.${lifetimeNote(input)}`
    return failuresGate(input) ?? { kind: 'wait', reason: 'WaitsForProxies', message, at: until }
  }
  const unseen = lookProblem(trust, restarted ? settled : settled + workloadTtlMs, now > until + REFUSED_MS)
  const stop = unseen ?? changedGate(input) ?? signerGate(input, takenAt) ?? failuresGate(input)
  return stop ?? { kind: 'open', takenAt }
}

/** Where the mesh tells the time that is waited. */
function lifetimeNote({ trust, workloadTtlMs }: GateInput): string {
  if (trust?.issuanceLifetimeMs !== workloadTtlMs) return ''
  return ` The identity controller issues certificates for ${formatDuration(workloadTtlMs)}, as its Deployment says: that counts where workloadTtl says less.`
}

/**
 * Before the issuer changes, or an anchor goes: what is on the cluster is what this rests on. A Pod that started with other
 * anchors, or of which it is not known, keeps the issuer as it is.
 */
export function linkerdBeforeWrite(input: GateInput): Gate | undefined {
  const { rotation, trust, now } = input
  const isOfUse = rotation.phase === 'switching' || (rotation.phase === 'narrowing' && rotation.direction === 'on')
  if (!rotation.from || !isOfUse) return undefined
  const isLate = now > Date.parse(rotation.phaseSince) + REFUSED_MS
  const common = lookProblem(trust, 0, isLate) ?? changedGate(standing(input))
  // An issuer of the same anchor asks nothing of anyone: it is trusted by whoever trusts the one before it.
  if (common || rotation.phase === 'narrowing' || rotation.what === 'intermediate') return common
  return controlPlaneGate(trust) ?? podsGate(input)
}

/** What is on the cluster before the phase writes: the anchors that it keeps, or that it will narrow. */
function standing(input: GateInput): GateInput {
  const { rotation, wanted } = input
  const rootCert = rotation.phase === 'narrowing' ? (rotation.written?.rootCert ?? '') : wanted.rootCert
  return { ...input, wanted: { ...wanted, rootCert } }
}

function changedGate(input: GateInput): Gate | undefined {
  const message = deliveryProblem(input)
  return message === undefined ? undefined : { kind: 'hold', reason: 'DeliveryChanged', message, look: true }
}

/** What of the wanted is not on the cluster, in words; undefined: all of it is. */
function deliveryProblem({ rotation, wanted, trust, revision }: GateInput): string | undefined {
  const delivered = trust?.delivered
  if (!delivered || delivered.revision !== revision) return 'It has not been brought to the cluster yet.'
  if (delivered.anchors !== textHash(wanted.rootCert))
    return 'The cluster holds other trust anchors than those that were brought there.'
  const signer = rotation.written?.signer ?? (isTakeover(rotation) ? undefined : rotation.from?.signer)
  if (signer && delivered.issuer !== signer.fingerprint)
    return `The cluster holds another issuer than serial ${signer.serial}.`
  return undefined
}

/** Was every Pod of the control plane started since the anchors came to the cluster? */
function controlPlaneGate(trust: TrustDocument | undefined): Gate | undefined {
  const { count = 0, oldestStart } = trust?.controlPlane ?? {}
  if (count === 0) {
    const message = 'No Pod of the control plane of Linkerd is seen: nothing tells whether it trusts the anchors.'
    return { kind: 'hold', reason: 'ControlPlaneUnseen', message }
  }
  if (oldestStart !== undefined && Date.parse(oldestStart) > anchorsBroughtAt(trust)) return undefined
  const message =
    'The trust anchors are on the cluster. Restart the control plane of Linkerd (all its Deployments: kubectl rollout restart): it reads them only when it starts. Nothing is at risk until then.'
  return { kind: 'hold', reason: 'WaitsForControlPlane', message }
}

/** Epoch milliseconds: what started later has read the anchors that were brought. */
export function anchorsBroughtAt(trust: TrustDocument | undefined): number {
  const { at = '', anchorsAt = at } = trust?.delivered ?? {}
  return Date.parse(anchorsAt) + CLOCKS_MS
}

/** The same of the issuer, and of all that was brought. */
function broughtAt(trust: TrustDocument | undefined): number {
  return Date.parse(trust?.delivered?.at ?? '') + CLOCKS_MS
}

/** Has every meshed Pod started with exactly the wanted anchors? */
function podsGate({ wanted, trust }: GateInput): Gate | undefined {
  const counts = trust?.anchors
  const all = trust?.pods.count ?? 0
  const wait = (message: string): Gate => ({ kind: 'hold', reason: 'WaitsForRestarts', message })
  if (!counts) return wait('It is not known with which trust anchors the meshed Pods started.')
  const good = counts[textHash(wanted.rootCert)] ?? 0
  const known = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const others = Math.max(all, known) - good
  if (others === 0) return undefined
  return wait(
    `${others} of ${Math.max(all, known)} meshed Pods started with other trust anchors. Restart them (kubectl rollout restart): a proxy reads them only when it starts. Nothing is at risk until then.`,
  )
}

/** Does identity sign with the issuer? An event, its metrics, or a start since tell. */
function issuerGate(input: GateInput, isLate: boolean): Gate | undefined {
  const { rotation, trust } = input
  const { issuerEvent: event, controlPlane } = trust ?? {}
  const isNew = event !== undefined && isSaidSince(event.at, rotation.writtenAt)
  const since = Math.max(broughtAt(trust), isNew ? Date.parse(event.at) : 0)
  if (controlPlane?.oldestStart !== undefined && Date.parse(controlPlane.oldestStart) > since) return undefined
  if (isNew && event.reason === 'IssuerUpdateSkipped') return refused(event.message)
  const isSeen = signerSeen(rotation, trust)
  if (isSeen) return undefined
  const skipped = isNew ? event.skipped : undefined
  if (skipped && isSaidSince(skipped.at, trust?.delivered?.at) && !isStartedSince(trust, skipped.at))
    return refused(skipped.message)
  // One replica tells of itself; the metrics of all say more.
  if (isNew && isSeen === undefined) return undefined
  const { serial } = rotation.written?.signer ?? {}
  const message = `Neither an event nor the metrics of Linkerd tell that its identity controller signs with serial ${serial}.`
  if (!isLate) return { kind: 'wait', reason: 'WaitsForIdentity', message }
  const late = `${message} It has been so for 15 minutes: look into its log, or restart linkerd-identity.`
  return { kind: 'hold', reason: 'NotTakenByIdentity', message: late, look: true }
}

/** Events tell whole seconds. */
function isSaidSince(at: string, since = ''): boolean {
  return Date.parse(at) >= Math.floor(Date.parse(since) / 1000) * 1000
}

/** Is no Pod of the control plane there any more that may have said it? */
function isStartedSince(trust: TrustDocument | undefined, since: string): boolean {
  const start = trust?.controlPlane?.oldestStart
  return start !== undefined && Date.parse(start) > Date.parse(since)
}

function refused(words: string): Gate {
  const message = `Linkerd's identity controller refused the issuer and signs with the former one: ${words.slice(0, 300)}`
  return { kind: 'hold', reason: 'NotTakenByIdentity', message, look: true }
}

/** Does identity still sign with it? */
function signerGate({ rotation, trust }: GateInput, takenAt: number): Gate | undefined {
  const event = trust?.issuerEvent
  if (event?.reason === 'IssuerUpdateSkipped' && Date.parse(event.at) > takenAt) return refused(event.message)
  if (signerSeen(rotation, trust) !== false) return undefined
  const message = `Linkerd's identity controller signs with another certificate than serial ${rotation.written?.signer.serial} again, by its metrics.`
  return { kind: 'hold', reason: 'SignerChanged', message }
}

/** Were control plane and meshed Pods all started since? */
function areRestarted(trust: TrustDocument | undefined, since: number): boolean {
  if (trust?.state !== 'seen' || trust.pods.count === 0) return false
  const starts = [trust.pods.oldestStart, trust.controlPlane?.oldestStart]
  return starts.every((start) => start !== undefined && Date.parse(start) > since)
}
