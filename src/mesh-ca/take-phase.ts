import { canReplace } from '../authority/trust.ts'
import { type CaPhase, type CaRotation, leafLifetimeMs } from '../model/ca-rotation.ts'
import { timestamp } from '../model/names.ts'
import { isAsked, isDue, keepLease, lookWithin } from '../model/waiting.ts'
import { probeWork } from './azure-hold.ts'
import { trustWork } from './ca-work.ts'
import type { Gate, GateInput } from './gates.ts'
import { gatesOf } from './gates-of.ts'
import { leftToRestarts } from './left-to-restarts.ts'
import { wordsOf } from './mesh-words.ts'
import type { CaHold, Observations, VaultSeen } from './observations.ts'
import { mayBegin } from './obstacles.ts'
import { adopt, ask, begins, type CaStep, end, enter, tell, tellPassed, withRotation } from './step.ts'
import { bringAnchors, bringsAnchorsAlone, letGo } from './take-over.ts'
import { holdAndTell, waitUntil } from './waiting.ts'
import { type Wanted, wantedOf, writtenSet } from './wanted.ts'

type Take = (step: CaStep, rotation: CaRotation, seen: Observations, vault: VaultSeen) => CaStep

/** What each phase of a live rotation does with what was seen. Phases that are over do nothing. */
const TAKE: Readonly<Record<CaPhase, Take>> = {
  requested: begin,
  preparing: prepare,
  'awaiting-issuer': awaitIssuer,
  widening: write,
  trusting: waitForProxies,
  switching: write,
  renewing: waitForProxies,
  narrowing: write,
  succeeded: (step) => step,
  aborted: (step) => step,
  failed: (step) => step,
}

/** Takes the live rotation through its phase, or on to the next. Pure. */
export function takePhase(step: CaStep, seen: Observations, vault: VaultSeen): CaStep {
  const { rotation } = step.document
  return rotation ? TAKE[rotation.phase](step, rotation, seen, vault) : step
}

const MINUTE_MS = 60_000
/** A look at the cluster that brings news asks for a look here; this is for one that was lost. */
const BACKSTOP_MS = MINUTE_MS
const REMIND_MS = 3_600_000

function begin(step: CaStep, { what }: CaRotation, { now }: Observations): CaStep {
  if (what === 'intermediate' && step.document.spec.root.kind === 'vault-key') {
    return enter(step, 'switching', 'Switching', 'A new intermediate of the same root takes over.', now)
  }
  return enter(step, 'preparing', 'Preparing', 'What is to be trusted is made before anything is changed.', now)
}

function prepare(step: CaStep, rotation: CaRotation, { now }: Observations): CaStep {
  const isMade = step.document.spec.root.kind === 'vault-key'
  if (isMade ? rotation.root : rotation.csr) return isMade ? prepared(step, rotation, now) : askIssuer(step, now)
  if (isAsked(step, now)) return keepLease(step, now)
  return isMade
    ? ask(step, { kind: 'make-root', rotation: rotation.id }, 'MakingRoot', 'The vault makes the new root.', now)
    : ask(step, { kind: 'request', rotation: rotation.id }, 'MakingRequest', 'The request for the CA is made.', now)
}

function askIssuer(step: CaStep, now: number): CaStep {
  const message = 'A CSR waits for the CA: sign it and hand the chain in with POST …/complete.'
  const moved = enter(step, 'awaiting-issuer', 'AwaitingIssuer', message, now)
  const unique = moved.document.rotation?.id ?? ''
  return tell(moved, 'certificate.awaiting-issuer', { unique, reason: 'AwaitingIssuer', message }, now)
}

function awaitIssuer(step: CaStep, rotation: CaRotation, { now }: Observations): CaStep {
  if (rotation.chain === undefined) return lookWithin(step, 24 * REMIND_MS, now)
  return prepared(step, rotation, now)
}

/** Everything is there that is to be written: to the first phase that writes, if a running istiod takes its roots. */
function prepared(step: CaStep, rotation: CaRotation, now: number): CaStep {
  const { what, from, root } = rotation
  if (!from) return enter(step, 'switching', 'Writing', 'The first CA is written to the vault.', now)
  if (what === 'intermediate')
    return enter(step, 'switching', 'Switching', 'A new intermediate of the same root takes over.', now)
  const wide = wantedOf({ ...rotation, phase: 'widening' })
  const steps = wide.ok
    ? [canReplace(from.rootCert, wide.value.rootCert), canReplace(wide.value.rootCert, root?.pem ?? '')]
    : [wide]
  const refused = steps.find((one) => !one.ok)
  if (refused && !refused.ok) return end(step, 'failed', refused.reason, `${refused.message} Nothing was written.`, now)
  return enter(step, 'widening', 'Widening', 'The new root is trusted beside the old one, which signs on.', now)
}

/** A phase that writes: it is seen to be written, or asked for; then the cluster has to be seen to have taken it. */
function write(step: CaStep, rotation: CaRotation, seen: Observations, vault: VaultSeen): CaStep {
  const { now } = seen
  const wanted = wantedOf(rotation)
  if (!wanted.ok) return holdAndTell(step, wanted.reason, wanted.message, REMIND_MS, now)
  if (rotation.writtenAt === undefined) {
    const set = bringsAnchorsAlone(rotation) ? undefined : writtenSet(rotation, wanted.value, vault)
    if (!set) return askToWrite(step, rotation, wanted.value, seen)
    const at = timestamp(now)
    const message = 'The vault holds it. Waits until the cluster is seen to have taken it.'
    const { askedUntil: _asked, ...asked } = { ...rotation, written: set, writtenAt: at, reason: 'Written', message }
    const next = adopt({ ...step, document: { ...step.document, rotation: asked } }, set)
    if (!rotation.from) return end(next, 'succeeded', 'Written', wordsOf(step.document.spec).first, now)
    const work = trustWork(step.document.name, `${rotation.id}.${rotation.direction}.${rotation.phase}`)
    return lookWithin({ ...next, entries: [...next.entries, work] }, BACKSTOP_MS, now)
  }
  return pass(step, gatesOf(step.document.spec).taken(gateInput(step, rotation, wanted.value, seen)), seen)
}

function gateInput(
  { document }: CaStep,
  rotation: CaRotation,
  wanted: Wanted,
  { trust, now }: Observations,
): GateInput {
  const { spec, revision } = document
  const input = { rotation, wanted, trust, workloadTtlMs: leafLifetimeMs(spec, trust), now }
  return revision === undefined ? input : { ...input, revision }
}

function askToWrite(step: CaStep, rotation: CaRotation, wanted: Wanted, seen: Observations): CaStep {
  const { now } = seen
  if (isAsked(step, now)) return keepLease(step, now)
  const { obstacle, passed } = mayBegin(rotation, seen)
  if (obstacle) return standBefore(step, obstacle, now)
  const gate = gatesOf(step.document.spec).beforeWrite(gateInput(step, rotation, wanted, seen))
  if (gate) return pass(step, gate, seen)
  const { id, phase, direction } = rotation
  const { rootCert, signer } = wanted
  const [reason, message] = passed.length > 0 ? passing(passed) : ['Writing', 'The four secrets are written.']
  const told = passed.length > 0 ? tellPassed(step, passed, message, now) : step
  if (bringsAnchorsAlone(rotation)) return bringAnchors(told, rotation, rootCert, seen)
  const begun = rotation.begunAt === undefined ? withRotation(told, begins(seen)) : told
  return ask(begun, { kind: 'write', rotation: id, phase, direction, rootCert, signer }, reason, message, now)
}

/** An obstacle is waited for; what only people can clear is told to them. */
function standBefore(step: CaStep, { kind, reason, message, until, isStale }: CaHold, now: number): CaStep {
  const at = Math.min(until ?? Number.POSITIVE_INFINITY, now + REMIND_MS)
  if (kind === 'closed' || kind === 'shared') return holdAndTell(step, reason, message, at - now, now)
  const { spec, rotation } = step.document
  const probe = isStale && isDue(step, now) ? [probeWork(spec.cluster, `${rotation?.id}.${timestamp(now)}`)] : []
  return waitUntil({ ...step, entries: [...step.entries, ...probe] }, reason, message, at, now)
}

function passing(passed: readonly { readonly message: string }[]): readonly [string, string] {
  const held = passed.map(({ message }) => message).join(' ')
  return [
    'EndsSoon',
    `What is trusted ends soon, so this does not hold the rotation: ${held} The four secrets are written.`,
  ]
}

function waitForProxies(step: CaStep, rotation: CaRotation, seen: Observations): CaStep {
  const { now } = seen
  const wanted = wantedOf(rotation)
  if (!wanted.ok) return holdAndTell(step, wanted.reason, wanted.message, REMIND_MS, now)
  return pass(step, gatesOf(step.document.spec).renewed(gateInput(step, rotation, wanted.value, seen)), seen)
}

function pass(step: CaStep, gate: Gate, seen: Observations): CaStep {
  const { now } = seen
  if (gate.kind === 'open') return goOn(step, gate, now)
  const looked = gate.look && isDue(step, now) ? askForLook(step, now) : step
  const { isOurs, because, progress } = leftToRestarts(step.document, gate.reason, seen)
  if (gate.kind === 'hold' && !isOurs) {
    const message = because === '' ? gate.message : `${gate.message} ${because}`
    return holdAndTell(looked, gate.reason, message, BACKSTOP_MS, now, progress)
  }
  const at = gate.kind === 'hold' || gate.at === undefined ? now + BACKSTOP_MS : Math.min(gate.at, now + REMIND_MS)
  return waitUntil(looked, gate.reason, gate.message, at + 1, now)
}

function askForLook(step: CaStep, now: number): CaStep {
  const { name, rotation } = step.document
  return { ...step, entries: [...step.entries, trustWork(name, `${rotation?.id}.${timestamp(now)}`)] }
}

/** The phase behind each, by what is rotated and in which direction; undefined: it is over. */
const NEXT: Readonly<Record<string, CaPhase | undefined>> = {
  'root on widening': 'trusting',
  'root on trusting': 'switching',
  'root on switching': 'renewing',
  'root on renewing': 'narrowing',
  'intermediate on switching': 'renewing',
  'root back switching': 'renewing',
  'root back renewing': 'narrowing',
}

function goOn(step: CaStep, gate: Extract<Gate, { kind: 'open' }>, now: number): CaStep {
  const { rotation } = step.document
  if (!rotation) return step
  const next = NEXT[`${rotation.what} ${rotation.direction} ${rotation.phase}`]
  if (next) {
    const taken = withRotation(step, { takenAt: timestamp(gate.takenAt) })
    const note = gate.note === undefined ? '' : ` ${gate.note}`
    return {
      ...enter(taken, next, 'Entered', `${wordsOf(step.document.spec).entered[next] ?? ''}${note}`, now),
      lookAt: now,
    }
  }
  const serial = rotation.written?.signer.serial
  const seenBy = gate.note === undefined ? '' : ` ${gate.note}`
  return rotation.direction === 'back'
    ? end(
        letGo(step),
        'aborted',
        'WentBack',
        `It went back: serial ${serial} signs, and what was trusted before is trusted.`,
        now,
      )
    : end(step, 'succeeded', 'Renewed', `Serial ${serial} signs, and every proxy has been renewed.${seenBy}`, now)
}
