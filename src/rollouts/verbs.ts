import { missingRole } from '../model/access.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import type { Actor, Caller, Role } from '../model/identity.ts'
import { isTerminal, type Rollout, type RolloutPhase } from '../model/rollout.ts'
import { wake } from './schedule.ts'
import { askWeight, enter, rollBack } from './transition.ts'

/** What people, pipelines and chat may do to a rollout. */
export const VERBS = ['promote', 'pause', 'resume', 'approve', 'reject', 'abort', 'rollback'] as const
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
}

/**
 * The rollout after a verb: pure. A verb whose effect is there already gives the same object back (every verb is
 * idempotent); one that the phase does not take is the failure `RolloutState`.
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
      return approve(rollout, call)
    case 'reject':
      return goBack(rollout, call, 'reject', 'Rejected')
    case 'abort':
      return goBack(rollout, call, 'abort', 'Aborted')
    case 'rollback':
      return goBack(rollout, call, 'rollback', 'RolledBack')
  }
}

/** Past all steps that are left: everything to the candidate. In baking: the bake ends now. */
function promote(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (rollout.phase === 'promoting' || rollout.phase === 'succeeded') return succeed(rollout)
  const baking = rollout.phase === 'baking' || rollout.resumeTo === 'baking'
  if (baking) {
    if (rollout.phase !== 'baking' && rollout.phase !== 'blind') return refuse(rollout, call)
    return succeed(enter(rollout, 'succeeded', cause(call, 'Promoted', 'ended the bake'), call.now))
  }
  const from: readonly RolloutPhase[] = ['preflight', 'progressing', 'paused', 'awaiting-approval', 'blind']
  if (!from.includes(rollout.phase) || (rollout.phase === 'paused' && rollout.resumeTo === 'pending'))
    return refuse(rollout, call)
  const asked = unapprovedStep(rollout)
  if (asked !== undefined) {
    const reason = `step ${asked + 1} asks for an approver: promoting would pass it by`
    return fail('RolloutState', `Rollout ${rollout.id} cannot be promoted: ${reason}.`, {
      hint: 'Let an approver approve the step; the rollout goes on by itself.',
    })
  }
  const { resumeTo: _resume, ...rest } = askWeight(rollout, 100, call.now)
  return succeed(enter(rest, 'promoting', cause(call, 'PromotedByHand', 'promoted'), call.now))
}

/** The first step, from the present one on, that only an approver may end and that none has approved. */
function unapprovedStep(rollout: Rollout): number | undefined {
  const present = Math.max(0, rollout.step)
  const index = rollout.steps.findIndex((step, index) => {
    return index >= present && step.approval === true && !(index === rollout.step && rollout.approvedBy !== undefined)
  })
  return index < 0 ? undefined : index
}

function pause(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (rollout.phase === 'paused') return succeed(rollout)
  if (isTerminal(rollout.phase) || rollout.phase === 'rolling-back') return refuse(rollout, call)
  const waits = rollout.phase === 'blind' || rollout.phase === 'awaiting-approval'
  const resumeTo = waits ? (rollout.resumeTo ?? 'progressing') : rollout.phase
  return succeed(enter(rollout, 'paused', cause(call, 'PausedByHand', 'paused'), call.now, { resumeTo }))
}

/** Back to the phase before. Weights are asked again: what another hand changed meanwhile is put back. */
function resume(rollout: Rollout, call: VerbCall): Result<Rollout> {
  const moving: readonly RolloutPhase[] = ['pending', 'preflight', 'progressing', 'promoting', 'baking', 'blind']
  if (moving.includes(rollout.phase)) return succeed(rollout)
  if (rollout.phase !== 'paused') return refuse(rollout, call)
  const { resumeTo = 'progressing', ...rest } = rollout
  // Before the first step clusters are not looked at during a pause: what was seen is old.
  const isOld = resumeTo === 'pending' || resumeTo === 'preflight'
  const again =
    isOld || rollout.reason === 'WeightChanged'
      ? askWeight(rest, rest.weight, call.now, (cluster) => weightOf(rest, cluster) === rest.weight)
      : rest
  return succeed(wake(enter(again, resumeTo, cause(call, 'Resumed', 'resumed'), call.now), call.now))
}

function weightOf(rollout: Rollout, cluster: string): number {
  return rollout.targets.find((target) => target.cluster === cluster)?.weight ?? 0
}

function approve(rollout: Rollout, call: VerbCall): Result<Rollout> {
  if (rollout.approvedBy && rollout.phase === 'progressing') return succeed(rollout)
  if (rollout.phase !== 'awaiting-approval') return refuse(rollout, call)
  const approved = { ...rollout, approvedBy: call.actor }
  return succeed(wake(enter(approved, 'progressing', cause(call, 'Approved', 'approved the step'), call.now), call.now))
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
  if (isTerminal(rollout.phase) || (how === 'reject' && rollout.phase !== 'awaiting-approval'))
    return refuse(rollout, call)
  return succeed(rollBack(rollout, how, cause(call, reason, WORDS[how]), call.now))
}
const WORDS = { reject: 'rejected the step', abort: 'aborted', rollback: 'rolled back' } as const

function cause(call: VerbCall, reason: string, did: string) {
  const note = call.note === '' ? '' : `: ${call.note}`
  return { actor: call.actor, reason, message: `${call.actor.name} ${did}${note}` }
}

function refuse(rollout: Rollout, call: VerbCall): Result<Rollout> {
  const paused = rollout.phase === 'paused' && rollout.resumeTo ? `, from ${rollout.resumeTo}` : ''
  return fail('RolloutState', `Rollout ${rollout.id} is ${rollout.phase}${paused}: it cannot ${call.verb}.`)
}
