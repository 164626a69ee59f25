import type { RolloutDocument, ServiceDocument } from '../../../src/model/documents.ts'
import { durationMs } from '../../../src/model/names.ts'
import { isTerminal, type Rollout } from '../../../src/model/rollout.ts'
import { TRANSITIONS } from '../../../src/rollouts/machine.ts'
import type { Broke } from './kinds.ts'

/** Rollouts move only along the table, with actor and reason; weights rise only when a step has earned it. */
export function checkRollouts(
  before: ServiceDocument | undefined,
  after: ServiceDocument,
  broke: Broke,
  now: number,
): void {
  for (const rollout of after.rollouts) {
    const was = before?.rollouts.find(({ id }) => id === rollout.id)
    if (isTerminal(rollout.phase)) broke(`${rollout.id} is ${rollout.phase} and still among the live ones`)
    checkMove(was, rollout, broke)
    if (was) checkRise(was, rollout, broke, now)
  }
  for (const was of before?.rollouts ?? []) {
    if (after.rollouts.some(({ id }) => id === was.id)) continue
    const ended = archived(after, was.id)
    if (!ended) broke(`${was.id} went out of the document and is not copied`)
    else if (!isTerminal(ended.phase)) broke(`${was.id} was copied out as ${ended.phase}`)
    else checkMove(was, ended, broke)
  }
}

function archived(service: ServiceDocument, id: string): Rollout | undefined {
  const entry = service.outbox.find((found) => found.kind === 'archive' && found.key.endsWith(id))
  return entry?.kind === 'archive' ? (entry.value as RolloutDocument).rollout : undefined
}

function checkMove(was: Rollout | undefined, is: Rollout, broke: Broke): void {
  if (!was) {
    if (is.phase !== 'pending' || is.weight !== 0) broke(`${is.id} begins as ${is.phase} with ${is.weight} %`)
    return
  }
  const last = was.history.at(-1)
  const known = is.history.findLastIndex((entry) => JSON.stringify(entry) === JSON.stringify(last))
  const moves = is.history.slice(known + 1)
  if (known < 0) broke(`${is.id} lost its history`)
  let phase = was.phase
  for (const { from, to, actor, reason } of moves) {
    if (from !== phase || !TRANSITIONS.get(from)?.includes(to))
      broke(`${is.id} went ${phase} → ${to} (recorded from ${from})`)
    if (actor.id === '' || actor.name === '' || reason === '') broke(`${is.id} went to ${to} with no actor or reason`)
    phase = to
  }
  if (phase !== is.phase) broke(`${is.id} is ${is.phase}, its history ends in ${phase}`)
  if (is.history.length > 1 && was.startedAt !== is.startedAt) broke(`${is.id} was started twice`)
}

/** Reasons by which a person may raise the weight whatever the gates say. */
const BY_HAND = ['PromotedByHand', 'Resumed']

function checkRise(was: Rollout, is: Rollout, broke: Broke, now: number): void {
  const rises = is.targets.filter(({ weight }, index) => weight > (was.targets[index]?.weight ?? 0))
  if (rises.length === 0) return
  if (is.phase !== 'progressing' && is.phase !== 'promoting') broke(`${is.id} raises weights in ${is.phase}`)
  const catchesUp = is.weight === was.weight
  const byHand = BY_HAND.includes(is.history.at(-1)?.reason ?? '') && is.history.length > was.history.length
  const harmed = is.progress.find(({ last }) => last?.verdict === 'harm')
  if (harmed && !byHand) broke(`${is.id} raises weights though gate ${harmed.gate} says harm`)
  if (catchesUp || byHand || was.step < 0) return
  const step = was.steps[was.step]
  // The weight may have come live in this very pass.
  const live = Date.parse(was.liveAt ?? was.weightSince)
  if (step?.for !== undefined && live + durationMs(step.for) > now)
    broke(`${is.id} raises weights before its step is over`)
  const blind = is.progress.find(({ last }) => last?.verdict === 'blind')
  if (blind) broke(`${is.id} raises weights though gate ${blind.gate} is blind`)
}
