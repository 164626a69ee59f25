import * as z from 'zod'
import type { EventRecord } from '../../model/event.ts'
import {
  ALL_CLUSTERS,
  type Counts,
  type GateVerdict,
  PHASES,
  type Rollout,
  type Transition,
} from '../../model/rollout.ts'

/** One look of a gate at a cluster, as its event tells it. */
export interface RecordedLook {
  /** Epoch milliseconds. */
  readonly at: number
  readonly gate: number
  /** `ALL_CLUSTERS` for all together. */
  readonly cluster: string
  readonly wave: number
  readonly step: number
  /** Per cents that were asked for the candidate there; of all clusters together, those of the wave. Absent: not told. */
  readonly asked?: number
  /** The window, in epoch milliseconds, and its requests. Absent: the look was blind. */
  readonly counted?: {
    readonly fromMs?: number
    readonly toMs: number
    readonly candidate?: Counts
    readonly stable?: Counts
  }
  readonly verdict: GateVerdict
}

/** One transition of a rollout. */
export interface RecordedDecision {
  readonly at: number
  readonly transition: Transition
  /** Per cents asked for the candidate after it, by cluster. Absent: not told. */
  readonly weights?: Readonly<Record<string, number>>
}

/** What is kept of a rollout besides itself, in the order of time. */
export interface Recorded {
  readonly looks: readonly RecordedLook[]
  readonly decisions: readonly RecordedDecision[]
  /** There is more than was read. */
  readonly cut: boolean
}

const counts = z.object({ good: z.number(), bad: z.number() })
const lookData = z.object({
  gate: z.int(),
  cluster: z.string(),
  wave: z.int().default(0),
  step: z.int(),
  asked: z.number().optional(),
  weight: z.number().optional(),
  counted: z
    .object({
      fromMs: z.number().optional(),
      toMs: z.number().optional(),
      candidate: counts.optional(),
      stable: counts.optional(),
    })
    .default({}),
  verdict: z.looseObject({
    verdict: z.enum(['harm', 'safe', 'undecided', 'blind']),
    candidate: counts,
    stable: counts,
    interval: z.tuple([z.number(), z.number()]),
    alpha: z.number(),
    eValue: z.number(),
  }),
})
const moveData = z.object({
  from: z.enum(PHASES),
  to: z.enum(PHASES),
  wave: z.int().optional(),
  step: z.int(),
  weight: z.number(),
  weights: z.record(z.string(), z.number()).optional(),
})

/** A look from its event; undefined when the event is none, or tells too little. */
export function lookOf({ type, time, data }: EventRecord): RecordedLook | undefined {
  if (type !== 'rollout.look') return undefined
  const read = lookData.safeParse(data)
  if (!read.success) return undefined
  const { gate, cluster, wave, step, weight, counted, verdict } = read.data
  const asked = cluster === ALL_CLUSTERS ? weight : read.data.asked
  const { toMs, fromMs, candidate, stable } = counted
  const window = toMs !== undefined && {
    toMs,
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(candidate ? { candidate } : {}),
    ...(stable ? { stable } : {}),
  }
  return {
    at: Date.parse(time),
    gate,
    cluster,
    wave,
    step,
    ...(asked === undefined ? {} : { asked }),
    ...(window ? { counted: window } : {}),
    // The judge wrote it; what is drawn of it was checked.
    verdict: verdict as unknown as GateVerdict,
  }
}

function decisionOf({ time, actor, reason, message, data }: EventRecord): RecordedDecision | undefined {
  const read = moveData.safeParse(data)
  if (!read.success) return undefined
  const { weights, wave, ...move } = read.data
  const transition = { ...move, at: time, actor, reason, message, ...(wave === undefined ? {} : { wave }) }
  return { at: Date.parse(time), transition, ...(weights ? { weights } : {}) }
}

/**
 * What events tell of a rollout, in the order of time. Transitions of its own history whose events are not there (yet, or
 * any more) are among them; looks are not kept elsewhere.
 */
export function recordedOf(rollout: Rollout, events: readonly EventRecord[], cut: boolean): Recorded {
  const looks: RecordedLook[] = []
  const decisions = new Map<string, RecordedDecision>()
  const keyOf = ({ at, from, to }: Transition) => `${at} ${from} ${to}`
  for (const event of events) {
    const look = lookOf(event)
    if (look) looks.push(look)
    else {
      const decision = decisionOf(event)
      if (decision) decisions.set(keyOf(decision.transition), decision)
    }
  }
  for (const transition of rollout.history) {
    const known = decisions.has(keyOf(transition))
    if (!known) decisions.set(keyOf(transition), { at: Date.parse(transition.at), transition })
  }
  const inTime = (a: { readonly at: number }, b: { readonly at: number }) => a.at - b.at
  return { looks: looks.sort(inTime), decisions: [...decisions.values()].sort(inTime), cut }
}
