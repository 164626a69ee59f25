import { hasQueries, sourceOf } from '../model/gate.ts'
import { type Actor, GATE, SCHEDULE } from '../model/identity.ts'
import type { OutboxEntry } from '../model/outbox.ts'
import { type Counts, type GateProgress, isHeldBack, type Rollout } from '../model/rollout.ts'
import type { RolloutEvent } from './machine.ts'
import { NO_COUNTS } from './observations.ts'

/** What is told of a rollout that moved: each new transition, what holds it back, and what each gate saw. */
export function rolloutEvents(before: Rollout | undefined, after: Rollout): readonly OutboxEntry[] {
  return [...transitionEvents(before, after), ...heldEvents(before, after), ...lookEvents(before, after)]
}

/** That a freeze or a shut change window begins to hold it back: no transition, but someone may be waiting for it. */
function heldEvents(before: Rollout | undefined, after: Rollout): readonly OutboxEntry[] {
  if (!isHeldBack(after) || (before && isHeldBack(before))) return []
  const { id, candidate, reason, message, updatedAt, step, weight } = after
  const data = { rollout: id, candidate, step, weight }
  return [eventEntry(after, 'rollout.held', updatedAt, { actor: SCHEDULE, reason, message, time: updatedAt, data })]
}

function transitionEvents(before: Rollout | undefined, after: Rollout): readonly OutboxEntry[] {
  return after.history
    .filter((transition) => !before?.history.includes(transition))
    .map((transition) => {
      const { from, to, step, weight } = transition
      const data = {
        rollout: after.id,
        candidate: after.candidate,
        from,
        to,
        step,
        weight,
        ...(transition.wave === undefined ? {} : { wave: transition.wave }),
        // A pass that made several transitions knows the weights after the last of them alone.
        ...(transition === after.history.at(-1) ? { weights: weightsOf(after) } : {}),
        source: after.source ?? null,
      }
      const unique = `${transition.at}.${from}.${to}`
      return eventEntry(after, eventType(transition), unique, { ...transition, time: transition.at, data })
    })
}

/** Per cents asked for the candidate, by cluster. */
function weightsOf({ targets }: Rollout): Readonly<Record<string, number>> {
  return Object.fromEntries(targets.map(({ cluster, weight }) => [cluster, weight]))
}

/** What is told by a name of its own, whatever phase it leads to. */
const OWN_TYPES: Readonly<Record<string, string>> = {
  'wave-passed': 'rollout.wave-passed',
  'harm-frozen': 'rollout.harm-frozen',
  'approve-of-several': 'rollout.approved',
  'break-glass': 'rollout.glass-broken',
} satisfies Partial<Record<RolloutEvent, string>>

/** Else by the phase that is entered; a transition from a phase to itself is the start, or a step. */
function eventType({ event, from, to }: Rollout['history'][number]): string {
  if (event === undefined) return 'rollout.started'
  return OWN_TYPES[event] ?? (from === to ? 'rollout.step' : `rollout.${to}`)
}

/** What each gate saw, for evidence that outlives the document. A look belongs to the step before what follows from it. */
function lookEvents(before: Rollout | undefined, after: Rollout): readonly OutboxEntry[] {
  if (!before) return []
  return after.progress.flatMap((progress) => {
    const old = before.progress.find((other) => other.gate === progress.gate && other.cluster === progress.cluster)
    if (!progress.last || progress.lookedAt === undefined || old?.lookedAt === progress.lookedAt) return []
    const { gate, cluster, last, lookedAt } = progress
    const spec = after.gates[gate]
    const data = {
      rollout: after.id,
      gate,
      kind: spec?.kind,
      ...(spec && hasQueries(spec) ? { name: spec.name } : {}),
      from: spec && sourceOf(spec),
      cluster,
      weight: before.weight,
      step: before.step,
      ...(before.wave === undefined ? {} : { wave: before.wave }),
      asked: before.targets.find((target) => target.cluster === cluster)?.weight,
      counted: countedWindow(before, old, progress),
      verdict: last,
    }
    const cause = { actor: GATE, reason: last.reason, message: last.explanation, time: lookedAt, data }
    return [eventEntry(after, 'rollout.look', `${lookedAt}.${gate}.${cluster}`, cause)]
  })
}

/** The time that a look counted, in epoch milliseconds, and what it counted there; empty when it was blind. */
function countedWindow(
  { liveAt, targets }: Rollout,
  old: GateProgress | undefined,
  { cluster, cursorMs, candidate, stable }: GateProgress,
): { readonly fromMs?: number; readonly toMs?: number; readonly candidate?: Counts; readonly stable?: Counts } {
  if (cursorMs === undefined || cursorMs === old?.cursorMs) return {}
  // A cluster of an earlier wave has its traffic since before the rollout's present one was live.
  const keeps = targets.some((target) => target.cluster === cluster && target.revision !== undefined)
  const fromMs = Math.max(old?.cursorMs ?? 0, keeps || liveAt === undefined ? 0 : Date.parse(liveAt))
  return {
    ...(fromMs === 0 ? {} : { fromMs }),
    toMs: cursorMs,
    candidate: risen(candidate, old?.candidate),
    stable: risen(stable, old?.stable),
  }
}

function risen(now: Counts, before: Counts = NO_COUNTS): Counts {
  return { good: now.good - before.good, bad: now.bad - before.bad }
}

function eventEntry(
  rollout: Rollout,
  type: string,
  unique: string,
  cause: { actor: Actor; reason: string; message: string; time: string; data: Record<string, unknown> },
): OutboxEntry {
  const { actor, reason, message, time, data } = cause
  const id = `${type}:${rollout.id}:${unique}`
  return {
    id,
    kind: 'event',
    event: { id, type, time, subject: `rollouts/${rollout.id}`, actor, reason, message, data },
  }
}
