import type { RestartIntent, WorkloadUnderWay } from '../../model/restarts.ts'
import { type Workload, wasRestartedBy, workloadKey } from './workload.ts'

/** What was recorded and not asked for within this is asked for by nobody any more: no request of a dead worker lives so long. */
const LEASE_MS = 120_000

/** A workload that the cluster has to be asked for, as it was recorded. */
export interface Asked {
  readonly entry: WorkloadUnderWay
  readonly workload: Workload
}

export interface UnderWay {
  readonly stays: readonly WorkloadUnderWay[]
  /** Of those, the ones that the cluster has not taken yet. */
  readonly ask: readonly Asked[]
  /** Restarted and ready. */
  readonly through: readonly WorkloadUnderWay[]
  /** Not ready in time; the first of them. */
  readonly stuck?: WorkloadUnderWay
}

interface Input {
  readonly underWay: readonly WorkloadUnderWay[]
  readonly workloads: readonly Workload[]
  readonly intent: RestartIntent
  /** The cluster may be asked for something now. */
  readonly mayAsk: boolean
  readonly readyTimeoutMs: number
  /** Epoch milliseconds. */
  readonly now: number
}

/** How far the workloads are that were begun. One that is gone, or was made anew under its name, is let go. Pure. */
export function settleUnderWay(input: Input): UnderWay {
  const { underWay, workloads, intent, readyTimeoutMs, now } = input
  const stays: WorkloadUnderWay[] = []
  const ask: Asked[] = []
  const through: WorkloadUnderWay[] = []
  for (const recorded of underWay) {
    const workload = workloads.find((one) => one.uid === recorded.uid && workloadKey(one) === workloadKey(recorded))
    if (!workload) continue
    const isWritten = recorded.written === true || wasRestartedBy(workload, recorded.since)
    const entry = isWritten ? { ...recorded, written: true as const } : recorded
    const fate = isWritten ? fateOfWritten(entry, workload, intent) : fateOfUnwritten(entry, workload, input)
    if (fate === 'through') through.push(entry)
    if (fate === 'stays' || fate === 'ask') stays.push(entry)
    if (fate === 'ask') ask.push({ entry, workload })
  }
  // What was begun together is asked for together: what was left behind waits until the rest is ready.
  const isFresh = stays.every(({ written }) => !written)
  const stuck = stays.find(({ written, since }) => written && now > Date.parse(since) + readyTimeoutMs)
  return { stays, ask: isFresh ? ask : [], through, ...(stuck ? { stuck } : {}) }
}

/** What was restarted for a phase before need only be ready: its Pods are to be restarted anew. */
function fateOfWritten(
  { since }: WorkloadUnderWay,
  { isRolledOut, old }: Workload,
  intent: RestartIntent,
): 'stays' | 'through' {
  return isRolledOut && (old === 0 || !isLater(since, intent.olderThan)) ? 'through' : 'stays'
}

function fateOfUnwritten(
  { since }: WorkloadUnderWay,
  { old, cannot, problem }: Workload,
  { intent, mayAsk, now }: Input,
): 'stays' | 'ask' | 'gone' {
  const isWanted = isLater(since, intent.olderThan) && old > 0 && cannot === undefined && problem === undefined
  if (isWanted && mayAsk) return 'ask'
  return now > Date.parse(since) + LEASE_MS ? 'gone' : 'stays'
}

function isLater(one: string, other: string): boolean {
  return Date.parse(one) > Date.parse(other)
}
