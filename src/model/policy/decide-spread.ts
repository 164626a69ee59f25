import { durationMs, timestamp } from '../names.ts'
import type { ReleasedPlacement, Spread } from './spread.ts'
import type { WavesSpec } from './waves-spec.ts'

/** One service on one cluster, as a change of a policy on its way sees it. */
export interface SpreadPlacement {
  readonly service: string
  readonly cluster: string
  /** `pending`: has yet to change. `reached`: carries the policy as it is now. `refused`: cannot be given it. */
  readonly state: 'pending' | 'reached' | 'refused'
  /** Carries its own document's words, as far as policies changed them; true where nothing is written (observe). */
  readonly live: boolean
  /** In order: its going wrong would tell something. */
  readonly ready: boolean
  /** Epoch milliseconds since when it is live. */
  readonly liveAt?: number
  /** What is wrong there, or why it is refused. */
  readonly trouble?: string
}

export type SpreadDecision =
  /** These were let go and have yet to be written. */
  | { readonly kind: 'apply'; readonly placements: readonly ReleasedPlacement[] }
  | { readonly kind: 'release'; readonly spread: Spread }
  | {
      readonly kind: 'wait'
      readonly reason: 'Progressing' | 'Stuck' | 'Baking'
      readonly message: string
      /** Epoch milliseconds. */
      readonly lookAt: number
    }
  | { readonly kind: 'done'; readonly refused: readonly SpreadPlacement[] }

/** Most placements of a wave. */
export const MOST_IN_WAVE = 200
/** A wave that has trouble for so long is stuck. */
const STUCK_MS = 60_000
export const LOOK_LEAST_MS = 2000
const LOOK_MOST_MS = 60_000

/** What is on its way: a policy for many services, or a service's own. */
export interface SpreadSubject {
  /** Of what is brought. */
  readonly generation: number
  readonly spec: { readonly waves?: WavesSpec | undefined }
  /** The last wave, perhaps of an older generation. */
  readonly spread?: Spread
}

/**
 * What comes next for a policy on its way: one placement first, then a share of all that change, then the rest;
 * each wave when those of the one before that were in order are live again. Pure and total. `placements` may be only those
 * of the wave that is out: then it is `wait` that counts.
 */
export function decideSpread(
  subject: SpreadSubject,
  placements: readonly SpreadPlacement[],
  now: number,
): SpreadDecision {
  const { generation, spec, spread } = subject
  const current = spread?.generation === generation ? spread : undefined
  if (current) {
    const left = current.released.filter((one) => stateOf(placements, one)?.state === 'pending')
    if (left.length > 0) return { kind: 'apply', placements: left }
  }
  const waits = current && waitFor(current, spec, placements, now)
  if (waits) return waits
  const pending = placements.filter(({ state }) => state === 'pending')
  if (pending.length === 0) return { kind: 'done', refused: placements.filter(({ state }) => state === 'refused') }
  return { kind: 'release', spread: nextWave(current, subject, placements, now) }
}

function waitFor(
  spread: Spread,
  { waves }: SpreadSubject['spec'],
  placements: readonly SpreadPlacement[],
  now: number,
): Extract<SpreadDecision, { kind: 'wait' }> | undefined {
  const wave = spread.released.flatMap((one) => (one.awaited ? (stateOf(placements, one) ?? []) : []))
  const waiting = wave.filter(({ state, live }) => state === 'reached' && !live)
  const waitedMs = now - Date.parse(spread.waveAt)
  if (waiting.length > 0) {
    const troubled = waitedMs < STUCK_MS ? [] : waiting.filter(({ trouble }) => trouble !== undefined)
    const [reason, shown] = troubled.length > 0 ? (['Stuck', troubled] as const) : (['Progressing', waiting] as const)
    const lookAt = now + Math.min(LOOK_MOST_MS, Math.max(LOOK_LEAST_MS, Math.round(waitedMs / 4)))
    return { kind: 'wait', reason, message: `Wave ${spread.wave} waits for ${namesOf(shown)}.`, lookAt }
  }
  const isLast = !placements.some(({ state }) => state === 'pending')
  const since = Math.max(Date.parse(spread.waveAt), ...wave.map(({ liveAt }) => liveAt ?? 0))
  const lookAt = since + durationMs(waves?.bake ?? '0s')
  if (isLast || lookAt <= now) return undefined
  return { kind: 'wait', reason: 'Baking', message: `Wave ${spread.wave} is live and bakes.`, lookAt }
}

function nextWave(
  current: Spread | undefined,
  { generation, spec, spread }: SpreadSubject,
  placements: readonly SpreadPlacement[],
  now: number,
): Spread {
  const pending = placements.filter(({ state }) => state === 'pending')
  const total = Math.max(current?.total ?? 0, pending.length)
  const size = waveSize(total, total - pending.length, spec.waves?.percents)
  // What an older change of the policy left in trouble is where a newer one is needed, and can do the least harm.
  const hurt = new Set(
    current ? [] : (spread?.released ?? []).filter((one) => stateOf(placements, one)?.live === false).map(idOf),
  )
  const order = (one: SpreadPlacement) => (hurt.has(idOf(one)) ? 0 : one.ready ? 1 : 2)
  const released = pending
    .map((one, index) => ({ one, index }))
    .sort((a, b) => order(a.one) - order(b.one) || a.index - b.index)
    .slice(0, size)
    .map(({ one }) => ({
      service: one.service,
      cluster: one.cluster,
      awaited: one.ready || hurt.has(idOf(one)),
    }))
  return { generation, total, wave: (current?.wave ?? 0) + 1, released, waveAt: timestamp(now) }
}

/** How many placements the next wave takes when `reached` of `total` have the change. */
function waveSize(total: number, reached: number, percents: readonly number[] = [10]): number {
  const goals = [1, ...percents.map((percent) => Math.ceil((total * percent) / 100)), total]
  const goal = goals.find((count) => count > reached) ?? total
  return Math.min(MOST_IN_WAVE, Math.max(1, goal - reached))
}

/** The sizes of all waves over so many placements. */
export function waveSizes(total: number, percents?: readonly number[]): readonly number[] {
  const sizes: number[] = []
  for (let reached = 0; reached < total; ) {
    const size = waveSize(total, reached, percents)
    sizes.push(size)
    reached += size
  }
  return sizes
}

/** `shop/web on east: no endpoints; shop/cart on east and 3 more`. */
export function namesOf(placements: readonly SpreadPlacement[]): string {
  const shown = placements.slice(0, 3).map(({ service, cluster, trouble }) => {
    return trouble === undefined
      ? `${service} on ${cluster}`
      : `${service} on ${cluster} (${trouble.replace(/\.$/, '')})`
  })
  const more = placements.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function stateOf(
  placements: readonly SpreadPlacement[],
  { service, cluster }: Pick<SpreadPlacement, 'service' | 'cluster'>,
): SpreadPlacement | undefined {
  return placements.find((one) => one.service === service && one.cluster === cluster)
}

function idOf({ service, cluster }: Pick<SpreadPlacement, 'service' | 'cluster'>): string {
  return `${service}/${cluster}`
}
