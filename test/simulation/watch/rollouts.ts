import type { RolloutDocument, ServiceDocument } from '../../../src/model/documents.ts'
import { keyOf } from '../../../src/model/documents.ts'
import { isTerminal, type Rollout } from '../../../src/model/rollout.ts'
import { ROLLOUT_EVENTS, TRANSITIONS, targetOf } from '../../../src/rollouts/machine.ts'
import type { HoldWatch } from './holds.ts'
import type { Broke } from './kinds.ts'
import { checkRise, countedIn } from './rises.ts'
import { checkWaves } from './waves.ts'
import type { WebhookWatch } from './webhooks.ts'

export interface RolloutWatchOptions {
  readonly broke: Broke
  /** The latest time that a process may take it for. */
  readonly now: () => number
  /** When the call began that writes now. */
  readonly since: () => number
  readonly holds: HoldWatch
  readonly webhooks: WebhookWatch
  /** What gates had counted when the present traffic of a rollout was asked for, by its id: kept here between writes. */
  readonly counted: Map<string, ReadonlyMap<string, number>>
  /** Could the cluster not be reached, for the service, at some moment since then (epoch ms)? */
  readonly away: (service: string, cluster: string, since: number) => boolean
  /** What a rollout left behind on a cluster that is to be back; undefined: nothing. */
  readonly leftOn: (cluster: string, service: string, rollout: Rollout) => string | undefined
}

/** Rollouts move only along the table, with actor and reason; weights rise only when a step has earned it. */
export function checkRollouts(
  before: ServiceDocument | undefined,
  after: ServiceDocument,
  options: RolloutWatchOptions,
): void {
  const { broke } = options
  for (const rollout of after.rollouts) {
    const was = before?.rollouts.find(({ id }) => id === rollout.id)
    if (isTerminal(rollout.phase)) broke(`${rollout.id} is ${rollout.phase} and still among the live ones`)
    checkWrite(was, rollout, after, options)
  }
  for (const was of before?.rollouts ?? []) {
    if (after.rollouts.some(({ id }) => id === was.id)) continue
    const ended = archived(after, was.id)
    if (!ended) broke(`${was.id} went out of the document and is not copied`)
    else if (!isTerminal(ended.phase)) broke(`${was.id} was copied out as ${ended.phase}`)
    else checkEnd(was, ended, after, options)
  }
}

function checkWrite(was: Rollout | undefined, is: Rollout, after: ServiceDocument, options: RolloutWatchOptions): void {
  const { broke, now, since, holds, webhooks, counted } = options
  const service = keyOf(after)
  const away = (cluster: string) => options.away(service, cluster, since())
  checkMove(was, is, broke)
  webhooks.written(was, is)
  if (was) {
    const countedBefore = counted.get(is.id) ?? new Map()
    checkRise({ service, was, is, now: now(), since: since(), away, holds, webhooks, countedBefore, broke })
    checkWaves(was, is, after, broke)
  }
  if (was?.weightSince !== is.weightSince) counted.set(is.id, countedIn(is))
}

/** What became stable at the end, and whether the way back is really gone. */
function checkEnd(was: Rollout, ended: Rollout, after: ServiceDocument, options: RolloutWatchOptions): void {
  const { broke, leftOn } = options
  checkWrite(was, ended, after, options)
  const goesOn = new Set(after.rollouts.flatMap(({ targets }) => targets.map(({ cluster }) => cluster)))
  for (const { cluster, stable, candidate, out } of ended.targets) {
    const now = after.targets[cluster]?.stable
    if (now === undefined || goesOn.has(cluster)) continue
    const wanted = ended.phase === 'succeeded' && !out ? candidate : stable
    if (now !== wanted) broke(`${ended.id} ended as ${ended.phase} and ${now} is stable on ${cluster}, not ${wanted}`)
    const left =
      ended.phase === 'rolled-back' || ended.phase === 'aborted' ? leftOn(cluster, keyOf(after), ended) : undefined
    if (left !== undefined) broke(`${ended.id} is ${ended.phase} and on ${cluster} ${left}`)
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
  for (const { from, to, event, actor, reason } of moves) {
    if (from !== phase || !TRANSITIONS.get(from)?.includes(to) || !takes(from, to, event))
      broke(`${is.id} went ${phase} → ${to} by ${event} (recorded from ${from})`)
    if (actor.id === '' || actor.name === '' || reason === '') broke(`${is.id} went to ${to} with no actor or reason`)
    phase = to
  }
  if (phase !== is.phase) broke(`${is.id} is ${is.phase}, its history ends in ${phase}`)
  if (is.history.length > 1 && was.startedAt !== is.startedAt) broke(`${is.id} was started twice`)
}

/** Does the table lead there by this event? `back` and `end` lead to several. */
function takes(from: Rollout['phase'], to: Rollout['phase'], event: string | undefined): boolean {
  const known = ROLLOUT_EVENTS.find((one) => one === event)
  const target = known && targetOf(from, known)
  return target === to || target === 'back' || target === 'end'
}
