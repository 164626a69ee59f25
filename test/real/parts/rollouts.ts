import type { Product } from './product.ts'
import type { Answer } from './traffic.ts'
import { until } from './wait.ts'

/** What is read of a rollout's view. */
export interface SeenRollout {
  readonly id: string
  readonly phase: string
  readonly reason: string
  readonly message: string
  readonly weight: number
  /** Index into the waves. */
  readonly wave: number
  readonly step: number
  readonly targets: readonly { readonly cluster: string; readonly weight: number; readonly out?: string }[]
  readonly cause?: string
  readonly liveAt?: string
  readonly endedAt?: string
  readonly warnings: readonly string[]
  readonly history: readonly {
    readonly from: string
    readonly to: string
    readonly at: string
    readonly weight: number
    readonly reason: string
    readonly actor: { readonly kind: string }
  }[]
}

/** A time in which one weight was live and no other was asked: epoch milliseconds. */
export interface LiveWindow {
  readonly weight: number
  readonly fromMs: number
  readonly toMs: number
}

/** A rollout that is watched by REST, as a pipeline would. */
export interface Followed {
  readonly id: string
  /** Watches until `reached` holds and resolves with the rollout as it is then. Throws when it ends otherwise, with its words. */
  until(what: string, reached: (rollout: SeenRollout) => boolean): Promise<SeenRollout>
  /** Watches until the rollout is over. */
  end(): Promise<SeenRollout>
  /** What was live when, as far as it was watched. */
  windows(): readonly LiveWindow[]
}

const ENDS = ['succeeded', 'rolled-back', 'aborted', 'superseded', 'failed']
const MOST_MS = 180_000

/** How it ended, in words that a failed test shows: `succeeded` when nothing was warned of. */
export function howEnded({ phase, reason, message, warnings }: SeenRollout): string {
  const words = phase === 'succeeded' ? warnings : [`${reason}: ${message}`, ...warnings]
  return [phase, ...words].join('; ')
}

/** Starts a rollout of `shop/web` and follows it. */
export async function startRollout(product: Product, request: object): Promise<Followed> {
  const { id } = await product.must<SeenRollout>('deployer', 'POST', '/services/shop/web/rollouts', request)
  const liveWeights = new Map<number, number>()
  let last: SeenRollout | undefined
  const look = async () => {
    product.assertAlive()
    last = await product.must<SeenRollout>('viewer', 'GET', `/rollouts/${id}`)
    if (last.liveAt !== undefined) liveWeights.set(Date.parse(last.liveAt), last.weight)
    return last
  }
  const follow: Followed['until'] = async (what, reached) => {
    const seen = await until(`rollout ${id} ${what}`, MOST_MS, async () => {
      const rollout = await look()
      if (reached(rollout) || ENDS.includes(rollout.phase)) return rollout
      throw new Error(`${rollout.phase}, ${rollout.reason}: ${rollout.message}`)
    })
    if (!reached(seen)) throw new Error(`${what}: ended as ${seen.phase}, ${seen.reason}: ${seen.message}`)
    return seen
  }
  return {
    id,
    until: follow,
    end: () => follow('is over', ({ phase }) => ENDS.includes(phase)),
    windows: () => [...liveWeights].map(([fromMs, weight]) => ({ weight, fromMs, toMs: endOf(last, fromMs, weight) })),
  }
}

interface Counts {
  readonly good: number
  readonly bad: number
}

/** What the one gate of a rollout counted in all, by cluster. Throws if it never looked, or if there are more gates. */
export async function readTotals(
  product: Product,
  id: string,
): Promise<Readonly<Record<string, { readonly candidate: Counts; readonly stable: Counts }>>> {
  const { value, totals } = await product.must<Evidence>('viewer', 'GET', `/rollouts/${id}/evidence`)
  if (value.length === 0) throw new Error(`no gate of ${id} ever looked`)
  const byCluster = Object.fromEntries(totals.map(({ cluster, ...counts }) => [cluster, counts]))
  if (Object.keys(byCluster).length !== totals.length) throw new Error(`not one gate: ${JSON.stringify(totals)}`)
  return byCluster
}

interface Evidence {
  readonly value: readonly unknown[]
  readonly totals: readonly { readonly cluster: string; readonly candidate: Counts; readonly stable: Counts }[]
}

/** When another weight was first asked after `fromMs`; else the end of the rollout, or now. */
function endOf(rollout: SeenRollout | undefined, fromMs: number, weight: number): number {
  const change = rollout?.history.find((one) => Date.parse(one.at) > fromMs && one.weight !== weight)
  const end = change?.at ?? rollout?.endedAt
  return end === undefined ? Date.now() : Date.parse(end)
}

/** The windows so far, which must be those of these weights, in this order. */
export function windowsOf<const Weights extends readonly number[]>(
  rollout: Followed,
  weights: Weights,
): { readonly [At in keyof Weights]: LiveWindow } {
  const windows = rollout.windows()
  if (String(windows.map(({ weight }) => weight)) === String(weights)) {
    return windows as unknown as { readonly [At in keyof Weights]: LiveWindow }
  }
  throw new Error(`${JSON.stringify(windows)} are not the windows of ${weights}`)
}

/** When a rollout first took a step to this phase, or for this reason: epoch milliseconds. Throws if it never did. */
export function momentOf(rollout: SeenRollout, wanted: { readonly to?: string; readonly reason?: string }): number {
  const found = rollout.history.find(
    ({ to, reason }) => to === (wanted.to ?? to) && reason === (wanted.reason ?? reason),
  )
  if (!found) throw new Error(`${JSON.stringify(wanted)} is not in ${JSON.stringify(rollout.history)}`)
  return Date.parse(found.at)
}

/** The answers to requests that were sent within a window. */
export function within(
  answers: readonly Answer[],
  { fromMs, toMs }: Pick<LiveWindow, 'fromMs' | 'toMs'>,
): readonly Answer[] {
  return answers.filter(({ at }) => at >= fromMs && at < toMs)
}
