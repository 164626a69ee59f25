import { PAGE_DAYS } from '../model/expiry.ts'
import { SCHEDULE } from '../model/identity.ts'
import { lookWithin } from '../model/waiting.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { foundVersion, renewsAt, servedFirst } from './found-version.ts'
import { isMadeHere, uncoveredHosts } from './issue-policy.ts'
import { goneMessage, isGone, type Observations, publicPart } from './observations.ts'
import { warningOf } from './renewal.ts'
import { ANOTHER_HAND, failuresInARow, startRotation } from './start-rotation.ts'
import { aim, type Step, tell } from './step.ts'

const FIRST_RETRY_MS = 3_600_000
const MOST_RETRY_MS = 24 * 3_600_000
/** A vault that could not be read is looked at again, so that nobody is told of trouble that is over. */
const TROUBLE_LOOK_MS = 600_000

/** What to do while no rotation is live: start one that is due, or that another hand's version asks for. Pure. */
export function decideIdle(before: Step, seen: Observations): Step {
  const { now } = seen
  const step = isTrouble(seen.vault) ? lookWithin(before, TROUBLE_LOOK_MS, now) : tellGone(before, seen)
  const { document } = step
  const found = isTrouble(seen.vault) ? undefined : foundVersion(document, seen.vault.newest)
  if (found) {
    const message = `Serial ${found.serial} was made in the vault by another hand.`
    const candidate = publicPart(found)
    const unique = ['found', found.version]
    return startRotation(step, { actor: ANOTHER_HAND, reason: 'NewVersion', message, unique, candidate }, now)
  }
  const wish = isMadeHere(document.spec) ? wishFor(step, seen) : undefined
  if (!wish) return step
  if (wish.at > now) return { ...step, lookAt: Math.min(step.lookAt ?? wish.at, wish.at) }
  const { reason, message } = wish
  const unique = ['schedule', reason]
  return startRotation(step, { actor: SCHEDULE, reason, message, unique }, now)
}

/** Once. A new version is not asked for: the vault may be recovered, or not be the one that was meant. */
function tellGone(step: Step, { vault, now }: Observations): Step {
  const { current, conditions } = step.document
  const isTold = conditions.some(({ type, reason }) => type === 'Issued' && reason === 'VersionGone')
  if (!current || isTold || !isGone(vault)) return step
  const event = { unique: `${current.version}.${now}`, reason: 'VersionGone', message: goneMessage(current) }
  return tell(step, 'certificate.version-gone', event, now, SCHEDULE)
}

interface Wish {
  /** Epoch milliseconds. */
  readonly at: number
  readonly reason: string
  readonly message: string
}

/** When the next rotation starts by itself, and why. Failures in a row put it off. */
function wishFor({ document }: Step, seen: Observations): Wish | undefined {
  const cause = causeOf(document, seen)
  const failures = failuresInARow(document)
  const last = failures[0]?.endedAt
  const pause = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(Math.max(0, failures.length - 1), 10))
  const notBefore = last === undefined ? 0 : Date.parse(last) + pause
  return { ...cause, at: Math.max(cause.at, notBefore) }
}

function causeOf(document: Step['document'], { now, vault }: Observations): Wish {
  const { spec, current, targets } = document
  if (!current) return { at: now, reason: 'NotIssued', message: 'There is no version yet.' }
  const missing = uncoveredHosts(spec.dnsNames, current.dnsNames)
  if (missing.length > 0) {
    return {
      at: now,
      reason: 'HostsChanged',
      message: `Serial ${current.serial} does not serve ${missing.join(', ')}.`,
    }
  }
  const newest = isTrouble(vault) ? undefined : vault.newest
  if (newest?.version === current.version && !newest.enabled) {
    const message = `Serial ${current.serial} was disabled in the vault.`
    return { at: now, reason: 'VersionDisabled', message }
  }
  const astray = Object.keys(targets).filter((cluster) => targets[cluster]?.version !== current.version)
  if (astray.length > 0) {
    const message = `A rotation that failed has left another serial than ${current.serial} on ${astray.join(', ')}.`
    return { at: now, reason: 'OutOfStep', message }
  }
  const message = `Serial ${current.serial} ends at ${current.notAfter}.`
  return { at: renewsAt(document, current), reason: 'Due', message }
}

/** Clusters that came anew get what is current. Not while a newer version goes round: its release gives it to them. */
export function aimNewClusters(step: Step): Step {
  const { current, clusters, targets, rotation } = step.document
  if (!current || rotation?.phase === 'delivering' || rotation?.phase === 'awaiting-window') return step
  const empty = clusters.filter((cluster) => targets[cluster] === undefined)
  return empty.length === 0 ? step : aim(step, empty, current)
}

/** Tells people, once a mark, that what is served ends. */
export function warn(step: Step, now: number): Step {
  const { spec, warned } = step.document
  const current = servedFirst(step.document)
  if (!current) return step
  const { passed, isNew, daysLeft, nextAt } = warningOf(spec, current, warned, now)
  const next = nextAt === undefined ? step : { ...step, lookAt: Math.min(step.lookAt ?? nextAt, nextAt) }
  if (!isNew) return next
  const document = { ...next.document, warned: passed }
  const message =
    daysLeft > 0
      ? `Serial ${current.serial} ends in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}, at ${current.notAfter}.`
      : `Serial ${current.serial} ends or ended at ${current.notAfter}.`
  const page = daysLeft <= PAGE_DAYS
  const data = { serial: current.serial, daysLeft, notAfter: current.notAfter, page }
  const unique = `${current.version}.${passed.at(-1)}`
  return tell(
    { ...next, document },
    'certificate.near-expiry',
    { unique, reason: 'EndsSoon', message, data },
    now,
    SCHEDULE,
  )
}
