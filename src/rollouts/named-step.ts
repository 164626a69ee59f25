import { type Failure, fail } from '../model/failure.ts'
import type { Actor } from '../model/identity.ts'
import type { Rollout, Transition } from '../model/rollout.ts'
import { stepsOf, wavesOf } from '../model/waves.ts'

/** A step as the rollout itself shows it, both from 0. What is left out is not compared. */
export interface NamedStep {
  readonly wave?: number
  readonly step?: number
}

/** A word on a step that waits for approvers. */
interface Word {
  readonly verb: 'approve' | 'reject'
  readonly at: NamedStep
  readonly actor: Actor
}

/** Is the word on a step about the one that the rollout waits at? `done`: its effect is there already. */
export function checkNamedStep(rollout: Rollout, word: Word): 'there' | 'done' | Failure {
  if (isNamed(word.at, rollout) && takes(rollout, word)) return 'there'
  if (word.verb === 'approve' && rollout.history.some((past) => isSameWord(rollout, past, word))) return 'done'
  return notAtStep(rollout, word)
}

/** A rollout on its way back is at the step that was rejected: the verb itself sees that nothing is left to do. */
function takes({ phase }: Rollout, { verb }: Word): boolean {
  if (phase === 'awaiting-approval') return true
  return verb === 'reject' && (phase === 'rolling-back' || phase === 'rolled-back')
}

function isNamed({ wave, step }: NamedStep, at: Pick<Rollout, 'wave' | 'step'>): boolean {
  return (wave === undefined || wave === (at.wave ?? 0)) && (step === undefined || step === at.step)
}

const APPROVED: readonly (string | undefined)[] = ['approve', 'approve-of-several']

/** The same person's approval of that step, which the rollout has passed since. */
function isSameWord(rollout: Rollout, past: Transition, { at, actor }: Word): boolean {
  if (at.step === undefined || !APPROVED.includes(past.event) || past.actor.id !== actor.id) return false
  return isNamed({ wave: rollout.wave ?? 0, ...at }, past)
}

function notAtStep(rollout: Rollout, { verb, at }: Word): Failure {
  const here = { wave: rollout.wave ?? 0, step: rollout.step }
  const named = { ...here, ...at }
  const does = rollout.phase === 'awaiting-approval' ? 'it waits at' : `it is ${rollout.phase}, at`
  const detail = `Rollout ${rollout.id} cannot ${verb} ${place(rollout, named)}: ${does} ${place(rollout, here)}.`
  const errors = (['wave', 'step'] as const)
    .filter((field) => at[field] !== undefined)
    .map((field) => ({ pointer: `/${field}`, reason: `is ${at[field]}, and the rollout is at ${here[field]}` }))
  return fail('NotAtStep', detail, { errors }).failure
}

/** `wave 1 of 2, step 2 of 3`, as messages count: from 1. */
function place(rollout: Rollout, { wave, step }: Required<NamedStep>): string {
  const waves = wavesOf(rollout)
  const steps = wave === (rollout.wave ?? 0) ? stepsOf(rollout) : waves[wave]?.steps
  const ofSteps = steps === undefined ? '' : ` of ${steps.length}`
  const at = step < 0 ? 'no step yet' : `step ${step + 1}${ofSteps}`
  return waves.length === 1 && wave === 0 ? at : `wave ${wave + 1} of ${waves.length}, ${at}`
}
