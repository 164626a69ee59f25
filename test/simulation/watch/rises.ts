import { durationMs } from '../../../src/model/names.ts'
import type { Rollout, RolloutTarget, Transition } from '../../../src/model/rollout.ts'
import { type StepSpec, sameTraffic } from '../../../src/model/step.ts'
import { APPROVERS } from '../persons.ts'
import type { HoldWatch } from './holds.ts'
import type { Broke } from './kinds.ts'
import { hasSome } from './waves.ts'
import type { WebhookWatch } from './webhooks.ts'

/** One write of a rollout, and what is known around it. */
export interface RolloutWrite {
  readonly service: string
  readonly was: Rollout
  readonly is: Rollout
  /** Epoch milliseconds: the latest that a process may take it for, and when the call that writes began. */
  readonly now: number
  readonly since: number
  /** Could the cluster not be reached at some moment of that time? */
  readonly away: (cluster: string) => boolean
  readonly holds: HoldWatch
  readonly webhooks: WebhookWatch
  /** Requests to the candidate that gates had counted when the present traffic was asked for, by `GATE CLUSTER`. */
  readonly countedBefore: ReadonlyMap<string, number>
  readonly broke: Broke
}

/** What gates have counted so far of the candidate's requests, by `GATE CLUSTER`. */
export function countedIn({ progress }: Rollout): ReadonlyMap<string, number> {
  return new Map(
    progress.map(({ gate, cluster, candidate: { good, bad } }) => [`${gate} ${cluster}`, good + bad] as const),
  )
}

/** The candidate gets more only where a step has earned it: by looks, by the schedule, or by a named person. */
export function checkRise(write: RolloutWrite): void {
  const { was, is, broke } = write
  checkApprovals(write)
  const rises = is.targets.filter((target, index) => isMore(was.targets[index], target))
  const promotes = is.phase === 'promoting' && was.phase !== 'promoting' && was.resumeTo !== 'promoting'
  const passes = is.step > was.step || promotes
  const byHand = movedByPerson(was, is)
  if (passes && !byHand && was.step >= 0) checkPassed(write, stepsOf(was)[was.step])
  if (rises.length === 0) return
  if (is.phase !== 'progressing' && is.phase !== 'promoting') broke(`${is.id} raises weights in ${is.phase}`)
  const harmed = is.progress.find(({ last, cluster }) => last?.verdict === 'harm' && !isOut(is, cluster))
  if (harmed && !byHand) broke(`${is.id} raises weights though gate ${harmed.gate} says harm`)
  checkHolds(write, rises, byHand)
  const catchesUp = is.weight === was.weight && is.step === was.step
  if (!catchesUp && !byHand && was.step >= 0) checkEvidence(write)
}

function stepsOf({ waves, wave = 0, steps }: Rollout): readonly StepSpec[] {
  return waves?.[wave]?.steps ?? steps
}

function isMore(was: RolloutTarget | undefined, is: RolloutTarget): boolean {
  if (!was) return hasSome(is)
  return is.weight > was.weight || (hasSome(is) && !sameTraffic(was, is) && !(is.weight < was.weight))
}

function isOut({ targets }: Rollout, cluster: string): boolean {
  return targets.some((target) => target.cluster === cluster && target.out !== undefined)
}

const BY_HAND = ['PromotedByHand', 'Resumed']

/** Did a person say so in this write, whatever the gates see? */
function movedByPerson(was: Rollout, is: Rollout): boolean {
  return movesIn(was, is).some(({ reason, actor }) => BY_HAND.includes(reason) && isPerson(actor))
}

function movesIn(was: Rollout, is: Rollout): readonly Transition[] {
  return is.history.slice(is.history.findLastIndex(({ at, to }) => isSame(was.history.at(-1), at, to)) + 1)
}

function isSame(last: Transition | undefined, at: string, to: string): boolean {
  return last?.at === at && last.to === to
}

function isPerson({ kind }: Transition['actor']): boolean {
  return kind === 'person' || kind === 'application'
}

/**
 * A freeze, or windows that were shut all the while, lets nothing rise unless the glass is broken. A person may ask for more
 * in a freeze: it is not written while that holds.
 */
function checkHolds(
  { service, is, since, holds, broke }: RolloutWrite,
  rises: readonly RolloutTarget[],
  byHand: boolean,
): void {
  if (is.breakGlass) return
  const frozen = (byHand ? [] : rises)
    .map(({ cluster }) => holds.frozen(service, cluster, since))
    .find((why) => why !== undefined)
  const why = frozen ?? holds.closed(is, since)
  if (why !== undefined) broke(`${is.id} raises weights though ${why}`)
}

/** Looks since the last rise let it pass: enough requests, no harm, none blind. */
function checkEvidence({ was, is, countedBefore, broke }: RolloutWrite): void {
  const clusters = was.targets.filter((target) => !target.out && inWave(was, target.cluster))
  if (was.gates.length === 0 || !clusters.some(hasSome)) return
  for (const [index, gate] of was.gates.entries()) {
    const looks = is.progress.filter(
      (progress) => progress.gate === index && clusters.some(({ cluster }) => cluster === progress.cluster),
    )
    const late = looks.filter(({ lookedAt = '' }) => lookedAt > was.weightSince)
    if (late.length === 0) broke(`${is.id} raises weights without a look of gate ${index} since ${was.weightSince}`)
    const blind = late.find(({ last }) => last?.verdict === 'blind')
    if (blind) broke(`${is.id} raises weights though gate ${index} is blind on ${blind.cluster}`)
    if (gate.kind === 'value') continue
    const seen = late.reduce((sum, { cluster, candidate: { good, bad } }) => {
      return sum + good + bad - (countedBefore.get(`${index} ${cluster}`) ?? 0)
    }, 0)
    if (seen < was.minEvents) broke(`${is.id} raises weights after ${seen} requests that gate ${index} saw`)
  }
}

function inWave({ waves, wave = 0 }: Rollout, cluster: string): boolean {
  return waves?.[wave]?.clusters.includes(cluster) ?? true
}

/** What a step waits for was there when it was passed by, or its time was over and it says to go on then. */
function checkPassed(write: RolloutWrite, step: StepSpec | undefined): void {
  const { was, is, now, away, webhooks, broke } = write
  if (!step || was.wave !== is.wave) return
  // A wave that has lost all its clusters has nothing to wait for.
  if (!was.targets.some((target) => !target.out && inWave(was, target.cluster))) return
  // The traffic may have come live in this very pass.
  const live = Date.parse(was.liveAt ?? was.weightSince)
  const begun = Date.parse(was.stepSince ?? was.weightSince)
  const tell = (what: string) => broke(`${is.id} passes step ${was.step} (${JSON.stringify(step)}) ${what}`)
  if (step.for !== undefined && live + durationMs(step.for) > now) tell('before its time is over')
  if (step.hold !== undefined && begun + durationMs(step.hold) > now) tell('before its time is over')
  const limitMs = step.timeout === undefined ? was.patienceMs : durationMs(step.timeout)
  const goesOn = step.onTimeout === 'proceed' && begun + limitMs <= now
  const looks = step.analysis ? is.progress.filter((one) => isAsked(was, one)) : []
  // A cluster that cannot be reached holds up its own part alone; where none can, nothing is known.
  const unsafe = looks.find(({ last, cluster }) => {
    return last?.verdict !== 'safe' && !(away(cluster) && looks.some((other) => other.last?.verdict === 'safe'))
  })
  if (unsafe && !goesOn) tell(`though gate ${unsafe.gate} on ${unsafe.cluster} says ${unsafe.last?.verdict}`)
  const quorum = step.approval === undefined ? 0 : step.approval === true ? 1 : step.approval.quorum
  if ((was.approvals ?? []).length < quorum && !goesOn && !approvedNow(was, is, quorum)) tell('without its approvers')
  if (step.webhook === undefined || webhooks.said(was, 'pass')) return
  const spent = webhooks.failures(was) > 0 && step.onTimeout === 'proceed'
  if (!goesOn && !spent) tell('and its webhook did not pass')
}

/** Is the look of a cluster in whose traffic the step was to be safe? */
function isAsked(was: Rollout, { cluster }: Rollout['progress'][number]): boolean {
  return inWave(was, cluster) && was.targets.some((one) => one.cluster === cluster && !one.out && hasSome(one))
}

/** The last approver's word and the step that follows may be one write. */
function approvedNow(was: Rollout, is: Rollout, quorum: number): boolean {
  return movesIn(was, is).filter(({ reason }) => reason === 'Approved').length + (was.approvals ?? []).length >= quorum
}

/** Approvers may approve, each counts once, and who started the rollout not at all where duties are separate. */
function checkApprovals({ was, is, broke }: RolloutWrite): void {
  const { approvals = [], actor, separateDuties } = is
  const ids = approvals.map(({ id }) => id)
  if (new Set(ids).size < ids.length) broke(`${is.id}: somebody's approval counts twice`)
  for (const id of ids) if (!APPROVERS.includes(id)) broke(`${is.id} was approved by ${id}, who may not approve`)
  if (separateDuties && ids.includes(actor.id)) broke(`${is.id} was approved by ${actor.name}, who started it`)
  if (was.breakGlass && is.breakGlass?.at !== was.breakGlass.at) broke(`${is.id}: the glass is broken twice`)
  if (is.breakGlass && !was.breakGlass && (is.breakGlass.reason === '' || !isPerson(is.breakGlass.actor)))
    broke(`${is.id}: nobody says why the glass is broken`)
}
