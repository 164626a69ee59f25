import { keyOf, type RolloutDocument, SCHEMA, type ServiceDocument } from '../model/documents.ts'
import { timestamp } from '../model/names.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import { AWAITING_PHASES, isTerminal, type Rollout } from '../model/rollout.ts'
import { serviceDueAt } from '../model/service-due.ts'
import { dueWhileWaiting } from './decide-waiting.ts'
import { retiredAfter } from './retire.ts'
import { rolloutEvents } from './rollout-events.ts'
import { POLL_MS } from './schedule.ts'
import { asksRender } from './transition.ts'

/**
 * The service document after some of its live rollouts moved: one write carries the rollouts, what is stable, the render
 * revision and, in the outbox, everything that must follow. Gives the same document back when nothing changed.
 */
export function foldRollouts(service: ServiceDocument, after: readonly Rollout[], now: number): ServiceDocument {
  const changed = after.filter((rollout) => !service.rollouts.includes(rollout))
  if (changed.length === 0 && after.length === service.rollouts.length) return service
  const renders = changed.some((rollout) => asksRender(beforeOf(service, rollout), rollout))
  const renderRevision = renders ? service.renderRevision + 1 : service.renderRevision
  const settled = after.map((rollout) =>
    service.rollouts.includes(rollout) ? rollout : settle(service, rollout, renderRevision, now),
  )
  const live = settled.filter((rollout) => !isTerminal(rollout.phase))
  const lastEnded = settled.findLast((rollout) => isTerminal(rollout.phase))?.id
  const entries = settled
    .filter((rollout) => !service.rollouts.includes(rollout))
    .flatMap((rollout) => followUps(service, rollout, renderRevision))
  const targets = { ...service.targets }
  for (const rollout of changed) Object.assign(targets, stableAfter(rollout, targets))
  const retired = retiredAfter(service, changed, targets)
  const { dueAt: _due, ...rest } = service
  const dueAt = serviceDueAt({ rollouts: live, ...(service.spread ? { spread: service.spread } : {}) })
  return {
    ...rest,
    rollouts: live,
    ...(lastEnded === undefined ? {} : { lastEnded }),
    targets,
    ...retired,
    renderRevision,
    outbox: [...service.outbox.filter((entry) => !isOutdated(entry, settled)), ...entries],
    updatedAt: timestamp(now),
    ...(dueAt === undefined ? {} : { dueAt }),
  }
}

function beforeOf(service: ServiceDocument, rollout: Rollout): Rollout | undefined {
  return service.rollouts.find((other) => other.id === rollout.id)
}

/**
 * Gives a rollout that asks for a render the revision that carries it, and one that moves a time to be looked at: what
 * became due while it was looked at is due at once.
 */
function settle(service: ServiceDocument, rollout: Rollout, renderRevision: number, now: number): Rollout {
  const revision = asksRender(beforeOf(service, rollout), rollout) ? renderRevision : rollout.revision
  const due = rollout.nextAttemptAt === undefined ? now + POLL_MS : Math.max(Date.parse(rollout.nextAttemptAt), now)
  const moving = !isTerminal(rollout.phase) && !AWAITING_PHASES.includes(rollout.phase)
  const waits = moving ? undefined : dueWhileWaiting(rollout, now)
  return {
    ...rollout,
    revision,
    updatedAt: timestamp(now),
    ...(moving ? { nextAttemptAt: timestamp(due) } : {}),
    ...(waits === undefined ? {} : { nextAttemptAt: timestamp(waits) }),
  }
}

/**
 * `stable` moves in the write that enters baking, and back in the write that starts a rollback out of it; a cluster that
 * the rollout goes on without keeps what it had.
 */
function stableAfter(rollout: Rollout, targets: ServiceDocument['targets']): ServiceDocument['targets'] {
  const forward = rollout.phase === 'baking' || rollout.phase === 'succeeded'
  const moved = rollout.targets.filter(
    ({ cluster, out }) => targets[cluster] !== undefined && (forward || out || rollout.phase === 'rolling-back'),
  )
  return Object.fromEntries(
    moved.map(({ cluster, stable, candidate, out }) => [cluster, { stable: forward && !out ? candidate : stable }]),
  )
}

function followUps(service: ServiceDocument, rollout: Rollout, renderRevision: number): readonly OutboxEntry[] {
  const before = beforeOf(service, rollout)
  const key = keyOf(service)
  const entries: OutboxEntry[] = [...rolloutEvents(before, rollout)]
  const again = isOverdue(rollout) ? `.${rollout.updatedAt}` : ''
  if (asksClusters(before, rollout) || again !== '') {
    for (const { cluster } of rollout.targets.filter((target) => isAsked(rollout, target))) {
      const message = { kind: 'reconcile' as const, service: key, cluster }
      entries.push({ id: `reconcile.${cluster}.${renderRevision}${again}`, kind: 'work', queue: 'urgent', message })
    }
  }
  if (isTerminal(rollout.phase)) entries.push(...endEntries(service, rollout))
  else if (rollout.nextAttemptAt !== undefined && rollout.nextAttemptAt !== before?.nextAttemptAt) {
    const message = { kind: 'advance' as const, service: key }
    entries.push({
      id: `advance.${rollout.id}.${rollout.nextAttemptAt}`,
      kind: 'work',
      queue: 'urgent',
      message,
      notBefore: rollout.nextAttemptAt,
    })
  }
  return entries
}

/**
 * Do clusters have something to do? A rollout that waits for its place asks nothing of them: the decision that ends the wait
 * does, also where it changes no route (Deployments may be made then).
 */
function asksClusters(before: Rollout | undefined, after: Rollout): boolean {
  if (after.phase === 'pending') return false
  return before?.phase === 'pending' || asksRender(before, after)
}

/** Has a cluster something new to carry? Those that keep their traffic keep their revision too. */
function isAsked({ phase }: Rollout, { revision }: Rollout['targets'][number]): boolean {
  return isTerminal(phase) || revision === undefined
}

/** A wake that was not sent yet, of a rollout that has another time now, or none. */
function isOutdated({ id, kind }: OutboxEntry, rollouts: readonly Rollout[]): boolean {
  if (kind !== 'work') return false
  const rollout = rollouts.find((one) => id.startsWith(`advance.${one.id}.`))
  return rollout !== undefined && id !== `advance.${rollout.id}.${rollout.nextAttemptAt}`
}

const ON_THE_WAY: readonly Rollout['phase'][] = ['preflight', 'progressing', 'promoting', 'rolling-back']

/**
 * The routes should have been live by now. A worker that died with the message in its hands keeps it hidden, for ten
 * minutes in Azure: nobody waits that long for a way back, so it is asked for again at every look.
 */
function isOverdue(rollout: Rollout): boolean {
  const { phase, reason, liveAt, weightSince, updatedAt } = rollout
  const waited = Date.parse(updatedAt) - Date.parse(weightSince)
  // A cluster that showed harm goes back while the rollout is paused, and nobody waits for it.
  if (phase === 'paused') return waited < BACK_MS && rollout.targets.some(({ out }) => out === 'harm')
  if (HELD.includes(reason)) return false
  return ON_THE_WAY.includes(phase) && liveAt === undefined && waited >= POLL_MS
}
/** As long as Azure may hide a message of a worker that died. */
const BACK_MS = 15 * 60_000
/** Nothing is to be written while these hold. */
const HELD: readonly string[] = ['Frozen', 'OutsideWindow', 'CapReached']

/** An ended rollout is copied out; clusters chosen by label were held for it and may change now. */
function endEntries(service: ServiceDocument, rollout: Rollout): readonly OutboxEntry[] {
  const key = keyOf(service)
  const value: RolloutDocument = {
    schema: SCHEMA,
    kind: 'rollout',
    service: key,
    rollout,
    outbox: [],
    createdAt: rollout.startedAt,
    updatedAt: rollout.updatedAt,
  }
  const archive: OutboxEntry = { id: `archive.${rollout.id}`, kind: 'archive', key: `${key}/${rollout.id}`, value }
  const [first] = rollout.targets
  if (Array.isArray(service.spec.clusters) || !first) return [archive]
  return [
    archive,
    { id: `select.${rollout.id}`, kind: 'work', queue: 'work', message: { kind: 'select', cluster: first.cluster } },
  ]
}
