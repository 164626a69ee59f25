import { activeFreezes } from '../../model/active-freezes.ts'
import { type ClusterDocument, type FreezeDocument, keyOf, type ServiceDocument } from '../../model/documents.ts'
import { timestamp } from '../../model/names.ts'
import type { Rollout } from '../../model/rollout.ts'
import { windowState } from '../../ports/window-state.ts'

/** What keeps a rollout from rising at some time. */
export interface Hold {
  readonly reason: 'Frozen' | 'OutsideWindow'
  /** For people. */
  readonly message: string
  /** Epoch milliseconds; absent: nobody knows. */
  readonly untilMs?: number
}

/** What holds at a time, of clusters that are to rise; undefined when nothing does. */
export type HoldAt = (ms: number, rising: readonly string[]) => Hold | undefined

/** More windows and freezes one after another are as good as none that ends. */
const MOST_HOLDS = 50

/** Freezes and change windows of a rollout, for any time; the same rules by which it is held when that time comes. */
export function holdsOf(
  service: ServiceDocument,
  rollout: Pick<Rollout, 'windows' | 'breakGlass'>,
  clusters: readonly ClusterDocument[],
  freezes: readonly FreezeDocument[],
): HoldAt {
  if (rollout.breakGlass) return () => undefined
  const scope = { service: keyOf(service), namespace: service.namespace }
  return (ms, rising) => {
    const moved = clusters.filter(({ name }) => rising.includes(name))
    const active = moved.flatMap((cluster) => activeFreezes(freezes, { ...scope, cluster }, 'rollouts', ms))
    const [freeze] = active
    if (freeze) return frozenBy(freeze)
    const { open, opensAt } = windowState(rollout.windows, ms)
    if (open) return undefined
    const next = opensAt === undefined ? 'none opens any more' : `the next opens at ${timestamp(opensAt)}`
    const message = `no change window is open, ${next}`
    return { reason: 'OutsideWindow', message, ...(opensAt === undefined ? {} : { untilMs: opensAt }) }
  }
}

function frozenBy({ name, spec }: FreezeDocument): Hold {
  const end = spec.until === undefined ? 'until it is deleted' : `until ${timestamp(Date.parse(spec.until))}`
  const message = `freeze ${name} (${spec.reason}) holds ${end}`
  return { reason: 'Frozen', message, ...(spec.until === undefined ? {} : { untilMs: Date.parse(spec.until) }) }
}

/**
 * When a rollout that wants to rise at `ms` on some clusters may, and what holds it until then. After a hold without an end the time is
 * `ms` itself: the earliest, if somebody ends it at once.
 */
export function passHolds(
  holdAt: HoldAt,
  ms: number,
  rising: readonly string[],
): { readonly ms: number; readonly holds: readonly Hold[] } {
  const holds: Hold[] = []
  let at = ms
  while (holds.length < MOST_HOLDS) {
    const hold = holdAt(at, rising)
    if (!hold) break
    holds.push(hold)
    if (hold.untilMs === undefined || hold.untilMs <= at) break
    at = hold.untilMs
  }
  return { ms: at, holds }
}
