import { isTakeover } from '../model/ca-rotation.ts'
import type { MeshCaDocument } from '../model/documents.ts'
import { PAGE_DAYS } from '../model/expiry.ts'
import { SCHEDULE } from '../model/identity.ts'
import type { CaSet, MeshCaSpec } from '../model/mesh-ca.ts'
import { lookWithin } from '../model/waiting.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { wordsOf } from './mesh-words.ts'
import { type Observations, PARTS, type VaultSeen } from './observations.ts'
import { caWarning, nextDue } from './renewal.ts'
import { endedBadly, startCaRotation } from './start-rotation.ts'
import { adopt, type CaStep, tell } from './step.ts'
import { foundCa, heldSet, whyNotBrought } from './take-over.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TROUBLE_LOOK_MS = 600_000

/** What to do while no rotation is live: take note of what the vault holds, and start a rotation that is due. Pure. */
export function decideIdle(step: CaStep, seen: Observations): CaStep {
  const { vault, now, watched } = seen
  if (watched) return step
  if (isTrouble(vault)) return lookWithin(step, TROUBLE_LOOK_MS, now)
  const noted = takeNote(step, vault, seen)
  const start = startFor(noted.document, vault, seen)
  if (!start) return noted
  const at = Math.max(start.at, retryAt(noted.document))
  if (at > now) return { ...noted, lookAt: Math.min(noted.lookAt ?? at, at) }
  const { what, reason, message, from } = start
  const unique = ['schedule', reason, what]
  return startCaRotation(noted, { what, reason, message, actor: SCHEDULE, unique, ...(from ? { from } : {}) }, now)
}

/** What another hand wrote is current from then on, if the mesh would take it. */
function takeNote(
  step: CaStep,
  { set, problems, versions, hasEnded }: VaultSeen,
  { trust, now }: Observations,
): CaStep {
  const { current, conditions, name } = step.document
  const isTold = (reason: string) => conditions.some(({ type, reason: told }) => type === 'Issued' && told === reason)
  if (!set || (problems.length > 0 && !hasEnded)) {
    const isThere = Object.keys(versions).length > 0
    if (!current && !isThere) return step
    const reason = isThere ? 'BundleUnusable' : 'SecretsGone'
    const message = unusableMessage(step.document.spec, problems, isThere, current !== undefined)
    return isTold(reason)
      ? step
      : tell(step, 'certificate.held', { unique: `${reason}.${now}`, reason, message }, now, SCHEDULE)
  }
  if (PARTS.every((part) => current?.versions[part] === set.versions[part])) return step
  const kept = whyNotBrought(step.document, set, trust)
  if (kept) {
    const unique = `${kept.reason}.${now}`
    return isTold(kept.reason) ? step : tell(step, 'certificate.held', { unique, ...kept }, now, SCHEDULE)
  }
  const message = current
    ? `Another hand wrote the secrets of ${name}: serial ${set.signer.serial} signs now.`
    : `The vault holds a CA: serial ${set.signer.serial} signs.`
  const [type, reason] = current
    ? ['certificate.changed-elsewhere', 'ChangedElsewhere']
    : ['certificate.ca-found', 'Found']
  const data = { serial: set.signer.serial, before: current?.signer.serial ?? null }
  return tell(
    adopt(step, set),
    type,
    { unique: PARTS.map((part) => set.versions[part]).join('.'), reason, message, data },
    now,
    SCHEDULE,
  )
}

/** Why what the vault holds cannot be used. */
export function unusableMessage(
  spec: Pick<MeshCaSpec, 'purpose'>,
  problems: readonly string[],
  isThere: boolean,
  hasFormer: boolean,
): string {
  const { gone, unusable } = wordsOf(spec)
  if (!isThere) return gone
  const todo = hasFormer
    ? 'Put the former versions of the secrets back.'
    : 'There is no former version to put back: put a whole CA there, or delete and purge what is there, and the first CA is made.'
  return `${unusable} ${problems.join(' ') || 'a secret is missing.'} ${todo}`
}

const TAKES_OVER =
  'The cluster has a trust anchor and an issuer of another hand. They are taken over step by step: the new anchor is trusted beside the old one first.'

interface Start {
  readonly at: number
  readonly what: 'intermediate' | 'root'
  readonly reason: string
  readonly message: string
  readonly from?: CaSet
}

function startFor(document: MeshCaDocument, vault: VaultSeen, { trust, now }: Observations): Start | undefined {
  const { spec, history, current, createdAt } = document
  if (current) {
    // What cannot be read, or is not brought to the cluster, is not built on; what has only ended is what the next is for.
    return vault.set && (vault.problems.length === 0 || vault.hasEnded) && !whyNotBrought(document, vault.set, trust)
      ? { ...nextDue({ spec, history }, current, now), reason: 'Due' }
      : undefined
  }
  // Something is there, and it is not whole: nothing is written over it.
  if (Object.keys(vault.versions).length > 0) return undefined
  const at = Date.parse(createdAt)
  const first = {
    at,
    what: 'root',
    reason: 'First',
    message: 'The vault holds no CA yet: the first one is made.',
  } as const
  if (spec.purpose !== 'linkerd-identity') return first
  const found = foundCa(document, trust)
  if (found.kind === 'unusable') return undefined
  if (!found.from) return first
  // Who took a takeover back is not to be taken over again unasked.
  const [last] = history
  if (last?.phase === 'aborted' && isTakeover(last)) return undefined
  return { at, what: 'root', reason: 'TakesOver', message: TAKES_OVER, from: found.from }
}

/** Failures in a row put the next one off; what a person stopped, or another hand, by a day. */
function retryAt(document: MeshCaDocument): number {
  const bad = endedBadly(document)
  const [last] = bad
  if (last?.endedAt === undefined) return 0
  const isStopped = last.phase === 'aborted' || last.reason === 'ChangedElsewhere'
  const pause = isStopped ? DAY_MS : Math.min(DAY_MS, HOUR_MS * 2 ** Math.min(bad.length - 1, 10))
  return Date.parse(last.endedAt) + pause
}

/** Tells people, once a mark, that the root or the signer ends. */
export function warn(step: CaStep, now: number): CaStep {
  let next = step
  for (const what of ['root', 'signer'] as const) next = warnOf(next, what, now)
  return next
}

function warnOf(step: CaStep, what: 'root' | 'signer', now: number): CaStep {
  const { warned } = step.document
  const current = heldSet(step.document)
  const warning = current && caWarning(step.document, current, what, now)
  if (!warning) return step
  const { passed, isNew, daysLeft, nextAt, certificate } = warning
  const next = nextAt === undefined ? step : { ...step, lookAt: Math.min(step.lookAt ?? nextAt, nextAt) }
  if (!isNew) return next
  const { serial, notAfter } = certificate
  const name = what === 'root' ? `Root ${serial}` : `Intermediate ${serial}`
  const message =
    daysLeft > 0
      ? `${name} ends in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}, at ${notAfter}.`
      : `${name} ends or ended at ${notAfter}: connections between workloads fail from then on.`
  const page = daysLeft <= PAGE_DAYS
  const event = {
    unique: `${what}.${serial}.${passed.at(-1)}`,
    reason: 'EndsSoon',
    message,
    data: { what, serial, daysLeft, notAfter, page },
  }
  const document = { ...next.document, warned: { ...warned, [what]: passed } }
  return tell({ ...next, document }, 'certificate.near-expiry', event, now, SCHEDULE)
}
