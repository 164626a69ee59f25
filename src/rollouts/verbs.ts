import { missingRole } from '../model/access.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import type { Actor, Caller, Role } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import type { Rollout, RolloutPhase, RolloutTarget } from '../model/rollout.ts'
import { quorumOf, sameTraffic } from '../model/step.ts'
import { isExposed, presentStep, stepsOf } from '../model/waves.ts'
import { windowState } from '../ports/window-state.ts'
import { targetOf } from './machine.ts'
import { checkNamedStep, type NamedStep } from './named-step.ts'
import { wake } from './schedule.ts'
import { askAll, askWave, enter, rollBack } from './transition.ts'
import { resumeFrom, trafficOf } from './weight-rules.ts'

/** What people, pipelines and chat may do to a rollout. */
export const VERBS = ['promote', 'pause', 'resume', 'approve', 'reject', 'abort', 'rollback', 'break-glass'] as const
export type Verb = (typeof VERBS)[number]

/** Who may do each: holders of the role, of the service's team. */
export const ROLE_OF_VERB: Readonly<Record<Verb, Role>> = {
  promote: 'Mesh.Deployer',
  pause: 'Mesh.Deployer',
  resume: 'Mesh.Deployer',
  approve: 'Mesh.Approver',
  reject: 'Mesh.Approver',
  abort: 'Mesh.Deployer',
  rollback: 'Mesh.Deployer',
  'break-glass': 'Mesh.Operator',
}

/** Why the caller may not do this; undefined when it may. An alert of a monitor may hold and abort, and nothing else. */
export function mayAct(caller: Caller, verb: Verb): Failure | undefined {
  if (caller.kind !== 'alert') return missingRole(caller, [ROLE_OF_VERB[verb]])
  if (verb === 'pause' || verb === 'abort') return undefined
  return fail('Forbidden', `An alert cannot ${verb}: it may pause and abort.`).failure
}

export interface VerbCall {
  readonly verb: Verb
  readonly actor: Actor
  /** The caller's own words; may be empty. */
  readonly note: string
  readonly now: number
  /** Of `approve` and `reject`: the step that is meant. Left out: whichever waits. */
  readonly at?: NamedStep
}

/**
 * The rollout after a verb: pure. A verb whose effect is there already gives the same object back (every verb is
 * idempotent); one that the phase does not take is the failure `RolloutState`, a word on a step that does not wait `NotAtStep`.
 */
export function applyVerb(rollout: Rollout, call: VerbCall): Result<Rollout> {
  switch (call.verb) {
    case 'promote':
      return promote(rollout, call)
    case 'pause':
      return pause(rollout, call)
    case 'resume':
      return resume(rollout, call)
    case 'approve':
      return onStep(rollout, call, 'approve', approve)
    case 'reject':
      return onStep(rollout, call, 'reject', reject)
    case 'abort':
      return goBack(rollout, call, 'abort', 'Aborted')
    case 'rollback':
      return goBack(rollout, call, 'rollback', 'RolledBack')
    case 'break-glass':
      return breakGlass(rollout, call)
  }
}

/**
 * Past all steps of the wave that are left: everything there to the candidate. In a bake, of a wave or of the whole: it
 * ends now.
 */
function promote(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (rollout.phase === 'succeeded') return succeed(rollout)
  const ended = cause(call, 'Promoted', 'ended the bake')
  if (rollout.phase === 'promoting') {
    const until = rollout.bakeUntil === undefined ? 0 : Date.parse(rollout.bakeUntil)
    if (until <= call.now) return succeed(rollout)
    return succeed(wake(enter(rollout, 'end-bake', ended, call.now, { bakeUntil: timestamp(call.now) }), call.now))
  }
  if (rollout.phase === 'baking' || rollout.resumeTo === 'baking') {
    if (rollout.phase !== 'baking' && rollout.phase !== 'blind') return refuse(rollout, call)
    return succeed(enter(rollout, 'end-bake', ended, call.now))
  }
  if (targetOf(rollout.phase, 'promote') === undefined) return refuse(rollout, call)
  if (rollout.phase === 'paused' && rollout.resumeTo === 'pending') return refuse(rollout, call)
  const shut = shutWindow(rollout, call.now)
  if (shut) return fail('RolloutState', `Rollout ${rollout.id} cannot be promoted: ${shut}`, { hint: GLASS })
  const asked = rollout.resumeTo === 'promoting' ? undefined : unapprovedStep(rollout)
  if (asked !== undefined) {
    const reason = `step ${asked + 1} asks for an approver: promoting would pass it by`
    return fail('RolloutState', `Rollout ${rollout.id} cannot be promoted: ${reason}.`, {
      hint: 'Let an approver approve the step; the rollout goes on by itself.',
    })
  }
  const { resumeTo: _resume, bakeUntil, ...rest } = askAll(rollout, call.now)
  // From the bake of a wave: that ends too.
  const bake = bakeUntil === undefined ? {} : { bakeUntil: timestamp(call.now) }
  return succeed(enter({ ...rest, ...bake }, 'promote', cause(call, 'PromotedByHand', 'promoted'), call.now))
}
const GLASS = 'An operator can break the glass: POST …/break-glass with a note.'

/** Why no change window lets the candidate have more now; undefined when one does, or the glass is broken. */
function shutWindow({ windows, breakGlass }: Rollout, now: number): string | undefined {
  const { open, opensAt } = windowState(breakGlass ? undefined : windows, now)
  if (open) return undefined
  return `no change window is open${opensAt === undefined ? '' : `, the next opens at ${timestamp(opensAt)}`}.`
}

/** The first step of the wave, from the present one on, that asks for approvers and has not enough. */
function unapprovedStep(rollout: Rollout): number | undefined {
  const present = Math.max(0, rollout.step)
  const index = stepsOf(rollout).findIndex((step, index) => {
    const given = index === rollout.step ? (rollout.approvals ?? []).length : 0
    return index >= present && quorumOf(step) > given
  })
  return index < 0 ? undefined : index
}

function pause(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (rollout.phase === 'paused') return succeed(rollout)
  if (targetOf(rollout.phase, 'pause') === undefined) return refuse(rollout, call)
  const resumeTo = resumeFrom(rollout)
  return succeed(enter(rollout, 'pause', cause(call, 'PausedByHand', 'paused'), call.now, { resumeTo }))
}

const MOVING: readonly RolloutPhase[] = ['pending', 'preflight', 'progressing', 'promoting', 'baking', 'blind']

/** Back to the phase before. Weights are asked again: what another hand changed meanwhile is put back. */
function resume(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (MOVING.includes(rollout.phase)) return succeed(rollout)
  if (targetOf(rollout.phase, 'resume') === undefined) return refuse(rollout, call)
  const { resumeTo = 'progressing' } = rollout
  // Before the first step clusters are not looked at during a pause: what was seen is old.
  const isOld = resumeTo === 'pending' || resumeTo === 'preflight'
  const again = isOld || rollout.reason === 'WeightChanged' ? askAgain(rollout, call.now) : rollout
  const { resumeTo: _to, ...gone } = enter(again, 'resume', cause(call, 'Resumed', 'resumed'), call.now)
  return succeed(wake(withCallsLeft(gone), call.now))
}

/** A webhook that did not answer is called anew, as often as at first. */
function withCallsLeft(rollout: Rollout): Rollout {
  const { webhook, ...rest } = rollout
  return webhook?.outcome === 'failed' ? rest : rollout
}

/** The same traffic anew on every cluster that has some. */
function askAgain(rollout: Rollout, now: number): Rollout {
  const has = rollout.targets.filter((target) => sameTraffic(target, rollout)).map(({ cluster }) => cluster)
  const asked = askWave(rollout, trafficOf(rollout), now, (cluster) => has.includes(cluster))
  return { ...asked, targets: asked.targets.map((target) => (isExposed(target) ? unpinned(target) : target)) }
}

/** To be written anew though it asks for what it has: an earlier wave's cluster may have been changed by another hand. */
function unpinned({ revision: _revision, ...target }: RolloutTarget): RolloutTarget {
  return target
}

/** A late word on a step must not be taken for one on the step that waits now. */
function onStep(
  rollout: Rollout,
  call: VerbCall,
  verb: 'approve' | 'reject',
  act: (rollout: Rollout, call: VerbCall) => Result<Rollout>,
): Result<Rollout> {
  const found = call.at === undefined ? 'there' : checkNamedStep(rollout, { verb, at: call.at, actor: call.actor })
  if (found === 'there') return act(rollout, call)
  return found === 'done' ? succeed(rollout) : { ok: false, failure: found }
}

/** One approver's word. Nobody counts twice, and who started the rollout not at all where duties are separate. */
function approve(rollout: Rollout, call: VerbCall): Result<Rollout> {
  const approvals = rollout.approvals ?? []
  const isIn = approvals.some(({ id }) => id === call.actor.id)
  if (isIn && (rollout.phase === 'progressing' || rollout.phase === 'awaiting-approval')) return succeed(rollout)
  if (targetOf(rollout.phase, 'approve') === undefined) return refuse(rollout, call)
  if (rollout.separateDuties === true && call.actor.id === rollout.actor.id) {
    const detail = `${call.actor.name} started rollout ${rollout.id} and may not approve its steps.`
    return fail('SeparateDuties', detail)
  }
  const step = presentStep(rollout)
  const missing = (step ? quorumOf(step) : 1) - approvals.length - 1
  const changes = { approvals: [...approvals, call.actor] }
  const did = missing > 0 ? `approved the step, ${missing} more needed` : 'approved the step'
  const event = missing > 0 ? 'approve-of-several' : 'approve'
  const said = enter(rollout, event, cause(call, 'Approved', did), call.now, changes)
  return succeed(missing > 0 ? said : wake(said, call.now))
}

function reject(rollout: Rollout, call: VerbCall): Result<Rollout> {
  return goBack(rollout, call, 'reject', 'Rejected')
}

const ENDS: Readonly<Record<'reject' | 'abort' | 'rollback', RolloutPhase>> = {
  reject: 'rolled-back',
  abort: 'aborted',
  rollback: 'rolled-back',
}

function goBack(
  rollout: Rollout,
  call: VerbCall,
  how: 'reject' | 'abort' | 'rollback',
  reason: string,
): Result<Rollout> {
  if (rollout.phase === 'rolling-back' || rollout.phase === ENDS[how]) return succeed(rollout)
  if (targetOf(rollout.phase, how) === undefined) return refuse(rollout, call)
  return succeed(rollBack(rollout, how, cause(call, reason, WORDS[how]), call.now))
}
const WORDS = { reject: 'rejected the step', abort: 'aborted', rollback: 'rolled back' } as const

/** Freezes and change windows no longer hold the rollout back. Needs words, which are kept. */
function breakGlass(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (rollout.breakGlass) return succeed(rollout)
  if (targetOf(rollout.phase, 'break-glass') === undefined) return refuse(rollout, call)
  if (call.note.trim() === '') {
    return fail('InvalidCombination', 'Breaking the glass needs a reason, which is kept.', {
      errors: [{ pointer: '/note', reason: 'is required' }],
    })
  }
  const given = { actor: call.actor, reason: call.note, at: timestamp(call.now) }
  const why = cause(call, 'BrokenGlass', 'broke the glass: freezes and change windows do not hold it back')
  const broken = enter(rollout, 'break-glass', why, call.now, { breakGlass: given })
  // What it does, and what holds it up, is as before: the next look tells otherwise.
  const said = { ...broken, reason: rollout.reason, message: rollout.message }
  return succeed(MOVING.includes(rollout.phase) ? wake(said, call.now) : said)
}

function cause(call: VerbCall, reason: string, did: string) {
  const note = call.note === '' ? '' : `: ${call.note}`
  return { actor: call.actor, reason, message: `${call.actor.name} ${did}${note}` }
}

function refuse(rollout: Rollout, call: VerbCall): Result<Rollout> {
  const paused = rollout.phase === 'paused' && rollout.resumeTo ? `, from ${rollout.resumeTo}` : ''
  return fail('RolloutState', `Rollout ${rollout.id} is ${rollout.phase}${paused}: it cannot ${call.verb}.`)
}
