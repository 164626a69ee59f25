import { type ConditionInput, findCondition, setCondition } from '../model/condition.ts'
import { canonicalJson } from '../model/digest.ts'
import type { PolicyDocument } from '../model/documents.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { LOOK_LEAST_MS, namesOf, type SpreadDecision } from '../model/policy/decide-spread.ts'
import type { PolicyReach } from '../model/policy/spread.ts'
import type { Reach } from './observe-reach.ts'
import { policyEvent, spreadWork } from './policy-event.ts'

type Told = Exclude<SpreadDecision, { kind: 'apply' }>
type Finding = Omit<ConditionInput, 'observedGeneration'>

/** Most guard rails that a condition names. */
const MOST_NAMED = 5

/**
 * The policy's document after a decision, with what must follow; the same document when nothing changes. `reach`: what was seen when all
 * was looked at; undefined after a look at the wave alone. `now` is epoch milliseconds. Pure.
 */
export function foldSpread(
  before: PolicyDocument,
  decision: Told,
  reach: Reach | undefined,
  now: number,
): PolicyDocument {
  const at = timestamp(now)
  // Looks that come early, or twice, change nothing: the one that is due does.
  const early = decision.kind === 'wait' && before.dueAt !== undefined && Date.parse(before.dueAt) > now
  const applied = appliedFinding(before, decision)
  const findings = [applied, ...(reach ? railFindings(before, reach) : [])]
  let conditions = before.conditions
  for (const finding of findings)
    conditions = setCondition(conditions, { ...finding, observedGeneration: before.generation }, at)
  const { spread: _, dueAt: _d, ...rest } = before
  const base = {
    ...rest,
    conditions,
    ...(reach ? { reach: reachOf(reach) } : {}),
    ...spreadAfter(before, decision, early, now),
  }
  const told = eventOf(before, decision, applied, at)
  const again =
    base.dueAt !== undefined && base.dueAt !== before.dueAt ? [spreadWork(before.name, base.dueAt, base.dueAt)] : []
  const document = { ...base, outbox: [...before.outbox, ...told, ...again] }
  return canonicalJson(document) === canonicalJson(before) ? before : { ...document, updatedAt: at }
}

function spreadAfter(
  before: PolicyDocument,
  decision: Told,
  early: boolean,
  now: number,
): Pick<PolicyDocument, 'spread' | 'dueAt' | 'observedGeneration'> {
  const { observedGeneration, generation, spread, dueAt } = before
  if (decision.kind === 'done') return { observedGeneration: generation }
  if (decision.kind === 'release')
    return { observedGeneration, spread: decision.spread, dueAt: timestamp(now + LOOK_LEAST_MS) }
  return {
    observedGeneration,
    ...(spread ? { spread } : {}),
    dueAt: early && dueAt !== undefined ? dueAt : timestamp(decision.lookAt),
  }
}

function appliedFinding(before: PolicyDocument, decision: Told): Finding {
  const type = 'Applied'
  if (decision.kind === 'wait') return { type, status: 'False', reason: decision.reason, message: decision.message }
  if (decision.kind === 'release') {
    const message = `Wave ${decision.spread.wave} is let go.`
    return { type, status: 'False', reason: 'Progressing', message }
  }
  if (decision.refused.length > 0) {
    const message = `Cannot be carried by ${namesOf(decision.refused)}.`
    return { type, status: 'False', reason: 'Refused', message }
  }
  const message = before.deletingAt ? 'Nothing carries it any more.' : 'Every service that it holds for carries it.'
  return { type, status: 'True', reason: 'Done', message }
}

function railFindings({ spec }: PolicyDocument, { broken }: Reach): readonly Finding[] {
  const type = 'GuardRailsKept'
  if (!spec.guardRails) return []
  if (broken.length === 0) return [{ type, status: 'True', reason: 'Kept', message: 'Every service keeps them.' }]
  const more = broken.length > MOST_NAMED ? `; and ${broken.length - MOST_NAMED} more` : ''
  const message = `${broken.slice(0, MOST_NAMED).join('; ')}${more}.`
  return [{ type, status: 'False', reason: 'Broken', message }]
}

function reachOf({ placements, services }: Reach): PolicyReach {
  const left = placements.filter(({ state }) => state !== 'reached').length
  return { services: services.length, placements: placements.length, left }
}

function eventOf(before: PolicyDocument, decision: Told, applied: Finding, time: string) {
  const { name, createdAt, generation, spread } = before
  const words = { time, actor: MESHWRIGHT, reason: applied.reason, message: `Policy ${name}: ${applied.message}` }
  const unique = `${createdAt}.${generation}`
  if (decision.kind === 'release') {
    const { wave, released, total } = decision.spread
    const data = { wave, total, placements: released.map(({ service, cluster }) => `${service}/${cluster}`) }
    return [policyEvent(name, 'policy.wave', { ...words, id: `${unique}.${wave}.${time}`, data })]
  }
  const known = findCondition(before.conditions, 'Applied')
  if (decision.kind === 'wait') {
    if (decision.reason !== 'Stuck' || known?.reason === 'Stuck') return []
    return [policyEvent(name, 'policy.stuck', { ...words, id: `${unique}.${spread?.wave}.${time}` })]
  }
  const again = before.observedGeneration === generation && spread === undefined && known?.reason === applied.reason
  return again ? [] : [policyEvent(name, 'policy.applied', { ...words, id: `${unique}.${time}` })]
}
