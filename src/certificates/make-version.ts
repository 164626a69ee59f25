import { digest } from '../model/digest.ts'
import { isAsked, keepLease, lookWithin } from '../model/waiting.ts'
import type { VaultOperation, VaultVersion } from '../ports/vault.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { checkCandidate } from './check-candidate.ts'
import { checkInput } from './check-input.ts'
import { foundVersion, servedVersions } from './found-version.ts'
import { isMadeHere, policyDigest, ROTATION_TAG, vaultNameOf } from './issue-policy.ts'
import { type Observations, publicPart, seenVersion, type VaultSeen } from './observations.ts'
import { ask, enter, giveUp, type Step, tell, withRotation } from './step.ts'
import { hold, holdForTrouble, type Pace } from './waiting.ts'

/** A self-signed version takes seconds, an integrated issuer minutes to hours. */
const ISSUE_PACE: Pace = { firstMs: 1000, mostMs: 300_000 }
const PERSON_PACE: Pace = { firstMs: 60_000, mostMs: 600_000 }
const SIGNED_ELSEWHERE_MS = 3_600_000
const MONTH_MS = 31 * 86_400_000
/** Asked so often, a vault that shows nothing but a failed operation is believed. */
const MOST_ASKED = 3

/** Phases of a rotation until there is a version that passed its checks. Pure; each step looks before it asks. */
export function makeVersion(step: Step, seen: Observations): Step {
  const { rotation } = step.document
  if (isTrouble(seen.vault)) return holdForTrouble(step, seen.vault, seen.now)
  switch (rotation?.phase) {
    case 'requested':
      return begin(step, seen, seen.vault)
    case 'creating':
      return create(step, seen, seen.vault)
    case 'awaiting-issuer':
      return awaitIssuer(step, seen, seen.vault)
    case 'checking':
      return check(step, seen, seen.vault)
    default:
      return step
  }
}

/** Takes a version that is there, or stores what the vault shows and then asks it for a new one. */
function begin(step: Step, seen: Observations, vault: VaultSeen): Step {
  const { document } = step
  const { now } = seen
  const madeHere = isMadeHere(document.spec)
  const found = foundVersion(document, vault.newest)
  if (found && !(madeHere && checkCandidate(checkInput(step.document, seen, found)))) return take(step, found, now)
  if (!madeHere && document.current) {
    return giveUp(step, 'NothingNew', 'The newest version in the vault is no new one: import it first.', now)
  }
  if (!madeHere) {
    const message = `No version can be used yet: import one into the vault as ${vaultNameOf(document)}.`
    return hold(step, 'WaitsForImport', message, PERSON_PACE, now)
  }
  if (vault.operation?.state === 'in-progress') return onPendingOperation(step, vault.operation, now)
  const early = wouldEndEarlier(step, now)
  if (early !== undefined) return giveUp(step, 'EndsEarlier', early, now)
  const base = {
    ...(vault.newest ? { baseVersion: vault.newest.version } : {}),
    ...(vault.operation ? { baseRequest: requestDigest(vault.operation) } : {}),
    policy: policyDigest(document.spec),
  }
  return askForVersion(withRotation(step, { phase: 'creating', ...base }, now), now)
}

/** One that a rotation of ours left behind is ended; any other belongs to someone. */
function onPendingOperation(step: Step, operation: VaultOperation, now: number): Step {
  const { rotation, history } = step.document
  const isOurs = history.some(({ csr }) => csr !== undefined && csr.trim() === operation.csr.trim())
  if (!isOurs || !rotation) {
    const message =
      'The vault has an operation of another hand pending for this certificate: complete or cancel it there.'
    return hold(step, 'OperationPending', message, PERSON_PACE, now)
  }
  return isAsked(step, now) ? keepLease(step, now) : ask(step, { kind: 'drop', rotation: rotation.id }, now)
}

/** The effect follows a write that names the time before which nobody asks again. */
function askForVersion(step: Step, now: number): Step {
  const { rotation } = step.document
  if (!rotation) return step
  const message = 'The vault is asked for a new version.'
  const asked = withRotation(step, { reason: 'Asked', message, attempts: rotation.attempts + 1 }, now)
  return ask(asked, { kind: 'create', rotation: rotation.id }, now)
}

function create(step: Step, seen: Observations, vault: VaultSeen): Step {
  const { rotation, spec } = step.document
  const { now } = seen
  if (!rotation) return step
  if (vault.tagged) return take(step, vault.tagged, now)
  const operation = isNewer(vault.operation, rotation.baseRequest) ? vault.operation : undefined
  if (rotation.policy !== policyDigest(spec)) {
    // What was asked may be on its way: it is ended when it is there, not forgotten.
    return operation || !isAsked(step, now) ? specChanged(step, operation, now) : keepLease(step, now)
  }
  if (operation?.state === 'in-progress') {
    if (spec.issuer.kind === 'external') return awaitCa(step, operation, now)
    const waits = withRotation(step, { csr: operation.csr }, now)
    return hold(waits, 'WaitsForIssuer', 'The issuer has not signed yet.', ISSUE_PACE, now)
  }
  const hasEnded = vault.operation?.state === 'failed' || vault.operation?.state === 'cancelled'
  if (hasEnded && (operation || rotation.attempts >= MOST_ASKED)) return operationEnded(step, vault.operation, now)
  // When the newest version is another one, it was another hand's operation that ended.
  if (operation?.state === 'completed' && vault.newest?.version === rotation.baseVersion) {
    return hold(step, 'WaitsForIssuer', 'The vault has made the version and does not list it yet.', ISSUE_PACE, now)
  }
  return isAsked(step, now) ? keepLease(step, now) : askForVersion(step, now)
}

function awaitCa(step: Step, operation: VaultOperation, now: number): Step {
  const { name, rotation } = step.document
  const message = `Have the CSR signed by your CA and hand in the chain: POST /certificates/${name}/complete.`
  const moved = withRotation(
    step,
    { phase: 'awaiting-issuer', reason: 'WaitsForIssuer', message, csr: operation.csr },
    now,
  )
  const event = { unique: rotation?.id ?? '', reason: 'WaitsForIssuer', message }
  return tell(lookWithin(moved, SIGNED_ELSEWHERE_MS, now), 'certificate.awaiting-issuer', event, now)
}

function awaitIssuer(step: Step, seen: Observations, vault: VaultSeen): Step {
  const { rotation, spec } = step.document
  const { now } = seen
  if (!rotation) return step
  if (vault.tagged) return take(step, vault.tagged, now)
  const { operation } = vault
  if (rotation.policy !== policyDigest(spec)) return specChanged(step, operation, now)
  const isOurs = operation?.csr.trim() === rotation.csr?.trim()
  if (!operation || !isOurs) {
    return giveUp(step, 'OperationGone', 'Another hand took the pending operation away in the vault.', now)
  }
  if (operation.state === 'failed' || operation.state === 'cancelled') return operationEnded(step, operation, now)
  if (rotation.chain === undefined) return lookWithin(step, SIGNED_ELSEWHERE_MS, now)
  if (operation.state === 'completed') {
    return hold(step, 'Merging', 'The vault has taken the chain and does not list the version yet.', ISSUE_PACE, now)
  }
  if (isAsked(step, now)) return keepLease(step, now)
  const asked = withRotation(step, { attempts: rotation.attempts + 1 }, now)
  return ask(asked, { kind: 'merge', rotation: rotation.id, chain: rotation.chain }, now)
}

function check(step: Step, seen: Observations, vault: VaultSeen): Step {
  const { rotation } = step.document
  const { now } = seen
  const version = seenVersion(vault, rotation?.candidate?.version)
  if (!version) return giveUp(step, 'VersionGone', 'The version is no longer in the vault.', now)
  const refusal = checkCandidate(checkInput(step.document, seen, version))
  if (refusal) return giveUp(step, refusal.reason, refusal.message, now)
  const message = `Serial ${version.serial} passed its checks.`
  return withRotation(step, { phase: 'awaiting-window', reason: 'Checked', message }, now)
}

function take(step: Step, version: VaultVersion, now: number): Step {
  const candidate = publicPart(version, version.tags[ROTATION_TAG])
  const moved = withRotation(step, { candidate }, now)
  return enter(moved, 'checking', 'VersionFound', `Serial ${version.serial} is checked.`, now)
}

/** What was asked for is not wanted any more: what is pending of it is ended, and the next look begins anew. */
function specChanged(step: Step, operation: VaultOperation | undefined, now: number): Step {
  const pending = operation?.state === 'in-progress'
  const known = pending ? withRotation(step, { csr: operation.csr }, now) : step
  const failed = giveUp(known, 'SpecChanged', 'What the certificate is to hold was changed while it was made.', now)
  const rotation = step.document.rotation?.id ?? ''
  return pending ? { ...failed, effect: { kind: 'drop', rotation } } : failed
}

function operationEnded(step: Step, operation: VaultOperation | undefined, now: number): Step {
  const words = operation?.error === undefined ? '' : ` The vault says: ${operation.error.slice(0, 500)}`
  const reason = operation?.state === 'cancelled' ? 'OperationCancelled' : 'OperationFailed'
  return giveUp(step, reason, `The vault did not make the version.${words}`, now)
}

/** A version that would be refused is not made. Only the vault itself keeps to the validity that is asked of it. */
function wouldEndEarlier({ document }: Step, now: number): string | undefined {
  const { issuer, validityMonths = 3 } = document.spec
  if (issuer.kind !== 'self') return undefined
  const latest = servedVersions(document).find(({ notAfter }) => Date.parse(notAfter) > now + validityMonths * MONTH_MS)
  if (!latest) return undefined
  return `A version of ${validityMonths} months would end before serial ${latest.serial}, which ends at ${latest.notAfter}. Raise validityMonths.`
}

function isNewer(operation: VaultOperation | undefined, base: string | undefined): boolean {
  return operation !== undefined && requestDigest(operation) !== base
}

function requestDigest({ csr }: VaultOperation): string {
  return digest(csr.trim()).slice(0, 16)
}
