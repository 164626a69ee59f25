import { timestamp } from '../../model/names.ts'
import {
  describeWorkload,
  type RestartIntent,
  type RestartsState,
  type WorkloadRef,
  type WorkloadUnderWay,
} from '../../model/restarts.ts'
import { MOST_CANNOT } from './ask-restarts.ts'
import { chooseRestarts } from './choose-restarts.ts'
import type { RestartNews } from './record-restarts.ts'
import { areTooMany, heldBy, stillRefused, withRefusal } from './refusals.ts'
import type { Resolved } from './resolve-workloads.ts'
import type { RestartStop } from './stops-restarts.ts'
import { type Asked, settleUnderWay, type UnderWay } from './under-way.ts'
import type { Workload } from './workload.ts'

/** What one pass finds, and what the cluster is to be asked for once that is written down. */
export interface Pass extends RestartNews {
  readonly ask: readonly Asked[]
}

interface PassInput {
  readonly before: RestartsState
  readonly intent: RestartIntent
  readonly limits: { readonly percent: number; readonly atOnce: number; readonly readyTimeoutMs: number }
  /** Epoch milliseconds. */
  readonly now: number
  /** Why nothing may be asked for now. */
  readonly stop: RestartStop | undefined
  /** Looks at the named namespaces, or at the whole cluster. `also` is told of even without Pods. */
  readonly see: (also: readonly WorkloadRef[], namespaces?: readonly string[]) => Promise<Resolved>
}

const MOST_WAITING = 5
/** Lists of more namespaces than this are more work for all than one of the whole cluster. */
const MOST_NAMESPACES = 3

/** While something is under way only that is looked at; then the next are chosen, if any may be. Throws what `see` throws. */
export async function passOver(input: PassInput): Promise<Pass> {
  const { before, see, stop } = input
  const { held: _held, stuck: _stuck, ...base } = before
  const held = heldBy(stop, before.refused)
  const moved = await follow(input)
  const { stays, through, stuck } = moved
  if (stays.length > 0) {
    const state: RestartsState = {
      ...base,
      ...held,
      underWay: stays,
      done: before.done + through.length,
      ...(stuck ? { stuck: describeWorkload(stuck) } : {}),
    }
    return { state, through, ask: moved.ask, ...(stuck ? { stuck } : {}) }
  }
  return choose(input, await see([]), through)
}

async function follow({ before, intent, limits, now, stop, see }: PassInput): Promise<UnderWay> {
  const { underWay } = before
  if (underWay.length === 0) return { stays: [], ask: [], through: [] }
  const namespaces = [...new Set(underWay.map(({ namespace }) => namespace))]
  const { workloads } = await see(underWay, namespaces.length > MOST_NAMESPACES ? undefined : namespaces)
  const { readyTimeoutMs } = limits
  return settleUnderWay({ underWay, workloads, intent, mayAsk: stop === undefined, readyTimeoutMs, now })
}

function choose(
  { before, intent, limits, now, stop }: PassInput,
  { workloads: found, orphans, pods }: Resolved,
  through: readonly WorkloadUnderWay[],
): Pass {
  const refused = stillRefused(before.refused, found)
  const workloads = found.map((one) => withRefusal(one, refused, now))
  const choice = chooseRestarts({ workloads, pods, intent, limits })
  // A worker whose clock is behind would write a time that counts as too old.
  const mayBegin = stop === undefined && !areTooMany(refused, now) && now > Date.parse(intent.olderThan)
  const ask = (mayBegin ? choice.begin : []).map((workload) => ({ entry: entryOf(workload, timestamp(now)), workload }))
  // Others may have restarted everything at once: as many are followed as would be begun, the rest is looked at when they are through.
  const rolling = choice.rolling.slice(0, Math.max(1, limits.atOnce)).map((one) => ({
    ...entryOf(one, timestamp(Date.parse(one.restartedAt ?? ''))),
    written: true as const,
  }))
  const state: RestartsState = {
    intent,
    underWay: [...rolling, ...ask.map(({ entry }) => entry)],
    done: choice.done,
    left: choice.left.length - ask.length + choice.rolling.length - rolling.length,
    cannot: [...choice.cannot, ...orphans].slice(0, MOST_CANNOT),
    waiting: choice.waiting.slice(0, MOST_WAITING),
    waitingCount: choice.waiting.length,
    ...(refused.length > 0 ? { refused } : {}),
    ...heldBy(stop, refused),
  }
  return { state, through, ask }
}

function entryOf({ kind, namespace, name, uid }: Workload, since: string): WorkloadUnderWay {
  return { kind, namespace, name, uid, since }
}
