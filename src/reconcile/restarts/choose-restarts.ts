import { describeWorkload, type RestartIntent } from '../../model/restarts.ts'
import { type Workload, wasRestartedBy } from './workload.ts'

export interface ChoiceInput {
  readonly workloads: readonly Workload[]
  /** Pods with a proxy, of which a part may be restarted at once. */
  readonly pods: number
  readonly intent: RestartIntent
  readonly limits: { readonly percent: number; readonly atOnce: number }
}

export interface Choice {
  /** To be begun now, together. None begins while another that was restarted for this is not through. */
  readonly begin: readonly Workload[]
  /** What was restarted since, and is not through: another hand did it, or a record was lost. */
  readonly rolling: readonly Workload[]
  /** Neither begun nor through, and not to be left alone for good. */
  readonly left: readonly Workload[]
  /** Why what would be begun is not for now, in words. */
  readonly waiting: readonly string[]
  readonly cannot: readonly string[]
  /** Workloads without a Pod that is to be restarted. */
  readonly done: number
}

/**
 * Which workloads are restarted next, when none is under way: the control plane first where it is to be, then the ones with
 * the oldest Pods, gateways one at a time and last. Together they have at most `percent` of the Pods, unless it is one alone;
 * never two are of one namespace. A workload that was restarted for this intent is not begun a second time. Pure.
 */
export function chooseRestarts({ workloads, pods, intent, limits }: ChoiceInput): Choice {
  const needed = workloads.filter(({ old }) => old > 0)
  const able = needed.filter(({ cannot }) => cannot === undefined)
  const rolling = able.filter((one) => wasRestartedBy(one, intent.olderThan))
  const left = able.filter((one) => !wasRestartedBy(one, intent.olderThan))
  const ready = left.filter(({ problem }) => problem === undefined)
  return {
    begin: rolling.length > 0 ? [] : pick(nextOf(left, ready), pods, limits),
    rolling,
    left,
    waiting: left.flatMap((one) => (one.problem === undefined ? [] : [`${describeWorkload(one)}: ${one.problem}`])),
    cannot: needed.flatMap((one) => (one.cannot === undefined ? [] : [`${describeWorkload(one)}: ${one.cannot}`])),
    done: workloads.length - needed.length,
  }
}

/** Those whose turn it is, in order. */
function nextOf(left: readonly Workload[], ready: readonly Workload[]): readonly Workload[] {
  const of = (role: Workload['role']) => ready.filter((one) => one.role === role).sort(byAge)
  // All else reads what the control plane tells it: nothing passes it by.
  if (left.some(({ role }) => role === 'control-plane')) return of('control-plane')
  const sidecars = of('sidecar')
  return sidecars.length > 0 ? sidecars : of('gateway').slice(0, 1)
}

function pick(
  candidates: readonly Workload[],
  pods: number,
  { percent, atOnce }: ChoiceInput['limits'],
): readonly Workload[] {
  const most = Math.floor((pods * percent) / 100)
  const begin: Workload[] = []
  let sum = 0
  for (const one of candidates) {
    if (begin.length >= atOnce) break
    const isAlone = begin.length === 0
    if (!isAlone && sum + one.pods > most) continue
    if (begin.some(({ namespace }) => namespace === one.namespace)) continue
    begin.push(one)
    sum += one.pods
  }
  return begin
}

function byAge(one: Workload, other: Workload): number {
  const age = Date.parse(one.oldestStart) - Date.parse(other.oldestStart)
  return age || describeWorkload(one).localeCompare(describeWorkload(other), 'en')
}
