import type { CertificateVersion, DeliveryState } from '../model/certificate.ts'
import type { CertificateDocument, DeliveryDocument } from '../model/documents.ts'
import { durationMs, timestamp } from '../model/names.ts'
import { lookWithin } from '../model/waiting.ts'
import { isTrouble } from '../ports/vault-trouble.ts'
import { checkCandidate } from './check-candidate.ts'
import { checkInput } from './check-input.ts'
import { foundVersion, renewsAt, servedFirst } from './found-version.ts'
import { isMadeHere } from './issue-policy.ts'
import { type Observations, seenVersion } from './observations.ts'
import { isUrgent, urgentAt } from './renewal.ts'
import { aim, end, enter, giveUp, type Step, tell, withRotation } from './step.ts'

/** A delivery whose state changes asks for a look itself; this is for a message that was lost. */
const BACKSTOP_MS = 60_000

/** What a delivery says of a version that no further try makes better. It was not written. */
const REFUSALS = [
  'NotPem',
  'KeyMissing',
  'KeyAmbiguous',
  'KeyUnreadable',
  'KeyMismatch',
  'CertificateUnreadable',
  'ChainBroken',
  'SerialMismatch',
]

/**
 * Brings a checked version to the clusters, group by group: a group is released when every one before holds the version, a
 * window is open and the pause is over. A cluster that holds nothing yet waits for none of that. Pure.
 */
export function release(step: Step, seen: Observations): Step {
  const { rotation } = step.document
  const candidate = rotation?.candidate
  if (!rotation || !candidate) return step
  const unusable = unusableBecause(step, seen, candidate)
  if (unusable) return giveUp(step, unusable.reason, unusable.message, seen.now)
  const refused = refusedDelivery(step.document, seen.deliveries)
  if (refused) return takeBack(step, refused, seen)
  return releaseNext(step, seen, candidate)
}

function releaseNext(step: Step, seen: Observations, candidate: CertificateVersion): Step {
  const { document } = step
  const { now } = seen
  // One that left and came back has no target any more: its turn comes anew.
  const isThere = (cluster: string) => document.clusters.includes(cluster) && document.targets[cluster] !== undefined
  const released = document.rotation?.released.filter(isThere) ?? []
  const rest = document.clusters.filter((cluster) => !released.includes(cluster))
  const open = released.filter((cluster) => !isDelivered(document, cluster, candidate.version, seen.deliveries))
  if (rest.length === 0 && open.length === 0) return succeed(step, candidate, now)
  const empty = rest.filter((cluster) => document.targets[cluster] === undefined)
  if (empty.length > 0) return releaseTo(step, released, empty, candidate, now)
  if (isUrgent(servedFirst(document, candidate.version), now) && rest.length > 0)
    return releaseTo(step, released, rest, candidate, now)
  if (open.length > 0) return waitFor(step, open, rest, seen)
  return nextGroup(step, seen, released, rest, candidate)
}

function nextGroup(
  step: Step,
  seen: Observations,
  released: readonly string[],
  rest: readonly string[],
  candidate: CertificateVersion,
): Step {
  const { document } = step
  const { spec } = document
  const { now, window } = seen
  const served = servedFirst(document, candidate.version)
  const dueAgain = dueAgainAt(document, candidate)
  // The ends of what is served do not wait for a pause or a window.
  const ends = [...(served ? [urgentAt(served)] : []), ...(dueAgain === undefined ? [] : [dueAgain])]
  const until = (at: number | undefined) => Math.min(at ?? Number.POSITIVE_INFINITY, ...ends)
  const pausedUntil = released.length === 0 ? 0 : provenAt(step, seen) + durationMs(spec.spread?.pause ?? '0s')
  if (pausedUntil > now) {
    const message = `${rest.join(', ')} follows after the pause between groups.`
    return { ...withRotation(step, { reason: 'Pausing', message }, now), lookAt: until(pausedUntil) }
  }
  if (!window.open) {
    const message = `Waits for a maintenance window to bring serial ${candidate.serial} to ${rest.join(', ')}.`
    const at = until(window.opensAt)
    const waits = withRotation(step, { reason: 'WaitsForWindow', message }, now)
    return Number.isFinite(at) ? { ...waits, lookAt: at } : waits
  }
  return releaseTo(step, released, rest.slice(0, spec.spread?.atOnce ?? 1), candidate, now)
}

function releaseTo(
  step: Step,
  released: readonly string[],
  group: readonly string[],
  candidate: CertificateVersion,
  now: number,
): Step {
  const { rotation, targets } = step.document
  const replaces = group.some((cluster) => targets[cluster] !== undefined)
  const urgent = replaces && isUrgent(servedFirst(step.document, candidate.version), now)
  const message =
    `Serial ${candidate.serial} goes to ${group.join(', ')}.` +
    (urgent ? ' What they hold ends soon: neither windows nor spread hold it.' : '')
  const reason = urgent ? 'EndsSoon' : 'Released'
  const moved = enter(step, 'delivering', reason, message, now)
  const all = withRotation(moved, { released: [...released, ...group], releasedAt: timestamp(now) }, now)
  const unique = `${rotation?.id}.${released.length}`
  const data = { serial: candidate.serial, clusters: group, urgent }
  const told = tell(all, 'certificate.delivering', { unique, reason, message, data }, now)
  return lookWithin(aim(told, group, candidate), BACKSTOP_MS, now)
}

function waitFor(step: Step, open: readonly string[], rest: readonly string[], seen: Observations): Step {
  const words = open.map((cluster) => {
    const delivery = seen.deliveries.find((other) => other.cluster === cluster)
    return delivery && delivery.state !== 'delivered' ? `${cluster} (${delivery.message})` : cluster
  })
  const behind = rest.length > 0 ? ` ${rest.join(', ')} keeps what it holds until then.` : ''
  const message = `Waits for ${words.join(', ')}.${behind}`
  return lookWithin(withRotation(step, { reason: 'WaitsForClusters', message }, seen.now), BACKSTOP_MS, seen.now)
}

function succeed(step: Step, candidate: CertificateVersion, now: number): Step {
  const { document } = step
  const where = document.clusters.length === 0 ? 'no cluster wants it' : `held by ${document.clusters.join(', ')}`
  const message = `Serial ${candidate.serial} is current, ${where}.`
  const ended = end(step, 'succeeded', 'Delivered', message, now)
  const next: Step = { ...ended, document: { ...ended.document, current: candidate, warned: [] } }
  const before = document.current?.serial ?? null
  const data = { serial: candidate.serial, before, notAfter: candidate.notAfter, clusters: document.clusters }
  const unique = document.rotation?.id ?? ''
  return tell(next, 'certificate.rotated', { unique, reason: 'Delivered', message, data }, now)
}

/** Why no further cluster may get it, and a newer one may take its place. */
function unusableBecause(step: Step, seen: Observations, candidate: CertificateVersion) {
  if (Date.parse(candidate.notAfter) <= seen.now) {
    return { reason: 'Ended', message: `Serial ${candidate.serial} ended before every cluster had it.` }
  }
  const dueAgain = dueAgainAt(step.document, candidate)
  if (dueAgain !== undefined && dueAgain <= seen.now) {
    const message = `Serial ${candidate.serial} is to be renewed itself before every cluster has it.`
    return { reason: 'DueAgain', message }
  }
  if (isTrouble(seen.vault)) return undefined
  const { newest } = seen.vault
  const now = seenVersion(seen.vault, candidate.version)
  if (!now) {
    return { reason: 'VersionGone', message: `Serial ${candidate.serial} is no longer in the vault.` }
  }
  if (!now.enabled) {
    return { reason: 'VersionDisabled', message: `Serial ${candidate.serial} was disabled in the vault.` }
  }
  const newer = newest?.version === candidate.version ? undefined : foundVersion(step.document, newest)
  if (!newer || newer.createdAt < now.createdAt) return undefined
  // One that would be refused waits until this rotation is over, and is refused then.
  if (checkCandidate(checkInput(step.document, seen, newer))) return undefined
  return { reason: 'Superseded', message: `Another hand made serial ${newer.serial} in the vault meanwhile.` }
}

/**
 * When a version that some clusters serve is to be followed though others never took it: those that answer must not end with
 * those that do not. Epoch milliseconds.
 */
function dueAgainAt(document: CertificateDocument, candidate: CertificateVersion): number | undefined {
  const isServed = Object.values(document.targets).some(({ version }) => version === candidate.version)
  return isServed && isMadeHere(document.spec) ? renewsAt(document, candidate) : undefined
}

/** A delivery that refused the version itself, after it was released. */
function refusedDelivery(
  { rotation, targets }: CertificateDocument,
  deliveries: readonly DeliveryDocument[],
): DeliveryDocument | undefined {
  const { candidate, released = [], releasedAt = '' } = rotation ?? {}
  return deliveries.find(
    ({ cluster, state, reason, updatedAt }) =>
      state === 'failed' &&
      REFUSALS.includes(reason) &&
      released.includes(cluster) &&
      targets[cluster]?.version === candidate?.version &&
      updatedAt >= releasedAt,
  )
}

/** The version can be served nowhere: clusters that do not hold it are to keep what they hold. */
function takeBack(step: Step, refused: DeliveryState, seen: Observations): Step {
  const { rotation, current, targets } = step.document
  const version = rotation?.candidate?.version
  const failed = giveUp(step, refused.reason, refused.message, seen.now)
  const without = Object.keys(targets).filter((cluster) => {
    const written = seen.deliveries.find((other) => other.cluster === cluster)?.written
    return targets[cluster]?.version === version && written?.version !== version
  })
  if (current) return aim(failed, without, current)
  const kept = Object.fromEntries(Object.entries(targets).filter(([cluster]) => !without.includes(cluster)))
  return { ...failed, document: { ...failed.document, targets: kept } }
}

/** Does a cluster hold what is wanted there, proven? */
export function isDelivered(
  { targets }: Pick<CertificateDocument, 'targets'>,
  cluster: string,
  version: string,
  deliveries: readonly DeliveryState[],
): boolean {
  const target = targets[cluster]
  const delivery = deliveries.find((other) => other.cluster === cluster)
  if (target?.version !== version || delivery?.state !== 'delivered') return false
  return delivery.written?.version === version && delivery.written.revision >= target.revision
}

/** When the newest group was proven on all its clusters, in epoch milliseconds. */
function provenAt({ document }: Step, { deliveries }: Observations): number {
  const { released = [], releasedAt } = document.rotation ?? {}
  const times = deliveries
    .filter(({ cluster }) => released.includes(cluster))
    .map(({ deliveredAt }) => Date.parse(deliveredAt ?? ''))
  return Math.max(Date.parse(releasedAt ?? ''), ...times.filter((time) => !Number.isNaN(time)))
}
