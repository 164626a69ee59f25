import { type Condition, type ConditionInput, findCondition, setCondition } from '../../model/condition.ts'
import { canonicalJson } from '../../model/digest.ts'
import { keyOf, type ServiceDocument } from '../../model/documents.ts'
import type { EventRecord } from '../../model/event.ts'
import { MESHWRIGHT } from '../../model/identity.ts'
import { timestamp } from '../../model/names.ts'
import type { OutboxEntry } from '../../model/outbox.ts'
import { LOOK_LEAST_MS, type SpreadDecision } from '../../model/policy/decide-spread.ts'
import type { ServiceSpread, Spread } from '../../model/policy/spread.ts'
import { serviceDueAt } from '../../model/service-due.ts'
import { reconcileWork, serviceEvent } from '../../model/service-event.ts'
import { spreadWithin } from './hold-words.ts'

type Spreading = ServiceDocument & { readonly spread: ServiceSpread }

/**
 * The service's document after a decision about its change on its way, with what must follow; the same document when nothing changes.
 * `now` is epoch milliseconds. Pure.
 */
export function foldWords(before: Spreading, decision: SpreadDecision, now: number): ServiceDocument {
  const { progress } = before.spread
  if (decision.kind === 'release') return letGo(before, decision.spread, now)
  // The write that lets a wave go takes its clusters off the held ones: there is nothing left to apply but after an error of ours.
  if (decision.kind === 'apply') return progress ? letGo(before, progress, now) : before
  if (decision.kind === 'done') return over(before, now)
  const { spread } = before
  // Looks that come early, or twice, change nothing: the one that is due does.
  const early = Date.parse(spread.lookAt) > now
  const lookAt = early ? spread.lookAt : timestamp(decision.lookAt)
  const applied = appliedAfter(spread, decision, timestamp(now))
  const isStuck = decision.reason === 'Stuck' && spread.applied.reason !== 'Stuck'
  const told = isStuck ? [wordsEvent(before, 'service.stuck', applied, timestamp(now))] : []
  const next = withSpread(before, { ...spread, applied, lookAt })
  if (canonicalJson(next) === canonicalJson(before)) return before
  const wake = early ? [] : [waveWork(keyOf(before), lookAt, lookAt)]
  return { ...next, outbox: [...before.outbox, ...told, ...wake], updatedAt: timestamp(now) }
}

function letGo(before: Spreading, progress: Spread, now: number): ServiceDocument {
  const key = keyOf(before)
  const at = timestamp(now)
  const clusters = progress.released.map(({ cluster }) => cluster)
  const revision = before.renderRevision + 1
  const lookAt = timestamp(now + LOOK_LEAST_MS)
  const left = before.spread.held.flatMap((words) => words.clusters).filter((name) => !clusters.includes(name))
  const held = spreadWithin(before.spread, left).spread?.held ?? []
  const message = `Wave ${progress.wave} is let go: ${clusters.join(', ')}.`
  const applied = appliedAfter(before.spread, { reason: 'Progressing', message }, at)
  const next = withSpread(before, { ...before.spread, held, progress: { ...progress, revision }, applied, lookAt })
  const event = wordsEvent(next, 'service.wave', applied, at, { wave: progress.wave, clusters, left })
  return {
    ...next,
    renderRevision: revision,
    outbox: [...before.outbox, event, ...reconcileWork(key, clusters, revision), waveWork(key, lookAt, lookAt)],
    updatedAt: at,
  }
}

function over(before: Spreading, now: number): ServiceDocument {
  const at = timestamp(now)
  const applied = { reason: 'Done', message: 'Every cluster was let go, and those that were in order before carry it.' }
  const event = wordsEvent(before, 'service.applied', applied, at)
  return { ...withSpread(before, undefined), outbox: [...before.outbox, event], updatedAt: at }
}

/** With what is due next. */
function withSpread<S extends ServiceDocument>(before: S, spread: ServiceSpread | undefined): S {
  const { spread: _, dueAt: _due, ...kept } = before
  const part = spread ? { spread } : {}
  const dueAt = serviceDueAt({ rollouts: before.rollouts, ...part })
  return { ...kept, ...part, ...(dueAt === undefined ? {} : { dueAt }) } as S
}

function appliedAfter(
  { applied, goal }: ServiceSpread,
  { reason, message }: Pick<ConditionInput, 'reason' | 'message'>,
  at: string,
): Condition {
  const next = { type: 'Applied', status: 'False', reason, message, observedGeneration: goal } as const
  return findCondition(setCondition([applied], next, at), 'Applied') ?? applied
}

function wordsEvent(
  service: Spreading,
  type: string,
  { reason, message }: Pick<Condition, 'reason' | 'message'>,
  time: string,
  data: EventRecord['data'] = {},
): OutboxEntry {
  const { goal, progress } = service.spread
  const key = keyOf(service)
  return serviceEvent(key, type, {
    id: `${service.createdAt}.${goal}.${progress?.wave ?? 0}.${time}`,
    time,
    actor: MESHWRIGHT,
    reason,
    message: `Change ${goal} of service ${key}: ${message}`,
    data: { generation: goal, ...data },
  })
}

/** Work that takes a change of a service's words on its way. */
export function waveWork(service: string, unique: string, notBefore?: string): OutboxEntry {
  const message = { kind: 'wave' as const, service }
  const id = `wave.${unique}`
  return { id, kind: 'work', queue: 'work', message, ...(notBefore === undefined ? {} : { notBefore }) }
}
