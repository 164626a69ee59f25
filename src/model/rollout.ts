import * as z from 'zod'
import type { GateEvidence } from './evidence.ts'
import type { GateSpec } from './gate.ts'
import type { Actor } from './identity.ts'
import { dnsLabel } from './names.ts'
import { versionSpec } from './service.ts'
import type { CandidateTraffic, StepSpec } from './step.ts'
import { strategyName, strategyOverrides } from './strategy.ts'
import type { TimeWindow } from './window.ts'

/** A reference to a container image, by tag or digest: `registry.example.com/shop/web:1.4.2`. */
const imageReference = z
  .string()
  .max(512)
  .regex(
    /^[a-z0-9]+([._:/-]+[a-zA-Z0-9]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    'must be the reference of an image, such as registry.example.com/shop/web:1.4.2',
  )

/** A version that Meshwright makes: the Deployment of stable with another image. */
const imageCandidate = z.strictObject({
  name: dnsLabel,
  image: z
    .union([imageReference, z.record(dnsLabel, imageReference)])
    .describe('The image of the one container, or images by container'),
  replicas: z
    .enum(['equal', 'weight'])
    .default('equal')
    .describe('equal: as many as stable has. weight: as many as its share of the requests needs, rounded up'),
})

/** Body of POST /services/{namespace}/{name}/rollouts. `candidate` alone is enough. */
export const rolloutRequest = strategyOverrides
  .extend({
    candidate: z
      .union([dnsLabel, versionSpec.extend({ name: dnsLabel }), imageCandidate])
      .describe('A version of the service, or a new one: its Pods are there, or they are made from an image'),
    strategy: strategyName.optional(),
    clusters: z.array(dnsLabel).min(1).max(100).optional().describe('All clusters of the service when left out'),
    source: z
      .strictObject({ commit: z.string().max(200).optional(), runUrl: z.url({ protocol: /^https?$/ }).optional() })
      .optional()
      .describe('Where the release comes from'),
  })
  .meta({ id: 'RolloutRequest' })
export type RolloutRequest = z.infer<typeof rolloutRequest>

/**
 * `pending` waits for a free place (caps) or a freeze to end; `preflight` for ready endpoints of the candidate;
 * `rolling-back` ends as its cause.
 */
export const PHASES = [
  'pending',
  'preflight',
  'progressing',
  'paused',
  'awaiting-approval',
  'blind',
  'promoting',
  'baking',
  'rolling-back',
  'succeeded',
  'rolled-back',
  'aborted',
  'superseded',
  'failed',
] as const
export type RolloutPhase = (typeof PHASES)[number]

export const TERMINAL_PHASES: readonly RolloutPhase[] = ['succeeded', 'rolled-back', 'aborted', 'superseded', 'failed']
/** Phases in which the rollout waits for a person. */
export const AWAITING_PHASES: readonly RolloutPhase[] = ['paused', 'awaiting-approval']

export function isTerminal(phase: RolloutPhase): boolean {
  return TERMINAL_PHASES.includes(phase)
}

/** Does a freeze, or the want of an open change window, hold it back now? Its message says which. */
export function isHeldBack({ reason, endedAt }: Pick<Rollout, 'reason' | 'endedAt'>): boolean {
  return endedAt === undefined && (reason === 'Frozen' || reason === 'OutsideWindow')
}

export type RollbackCause = 'gate' | 'rollback' | 'abort' | 'superseded' | 'reject'

/** Requests by outcome, as gates count them. */
export interface Counts {
  readonly good: number
  readonly bad: number
}

export type Verdict = 'harm' | 'safe' | 'undecided' | 'blind'

/** What a gate said at its last look on one cluster, in words and as data. */
export interface GateVerdict {
  readonly verdict: Verdict
  /**
   * CamelCase. harm: `LimitExceeded`, `WorseThanStable`. safe: `WithinLimit`, `NoWorseThanStable`. undecided:
   * `TooFewEvents`, `NotClearYet`, `StableBreaksLimitToo`, `RatioOff`. blind: `NoData`, `QueryFailed`, `DataLate`…
   */
  readonly reason: string
  /** For people: counts, interval, limit, ratio, and what follows. */
  readonly explanation: string
  /** The requests that the words are about: those of this step; of harm, all since the step where it begins to show. */
  readonly candidate: Counts
  readonly stable: Counts
  /** Evidence for harm; harm is called at 1/alpha. */
  readonly eValue: number
  readonly pValue: number
  /** Confidence sequence for the candidate's bad share, in 0..1. */
  readonly interval: readonly [number, number]
  /** This judgement's part of the rollout's alpha, and how much of it is at stake up to this step. */
  readonly alpha: number
  readonly spent?: number
  readonly limitPercent?: number
  /** Of a gate on a value: there are no counts, and it spends none of alpha. */
  readonly value?: ValueSeen
  /** Evidence by the limit alone, and that the candidate keeps it. */
  readonly limit?: TestEvidence
  /** The same by comparison with stable; absent where the gate does not compare. */
  readonly comparison?: ComparisonEvidence
  /** Variance of the counts over that of single events, for which both are corrected; 1: no bursts. */
  readonly dispersion?: number
  /** The candidate's share of the requests of this step, and what the weight asks; absent where none asks for one. */
  readonly share?: { readonly got: number; readonly asked: number; readonly eValue: number }
  /** About how many more requests to the candidate until a bad share of `neededFor` (0..1) would be seen. */
  readonly needed?: number
  readonly neededFor?: number
}

/** A value as a gate saw it. */
export interface ValueSeen {
  readonly candidate: number
  /** Asked for only when the candidate's is out of bounds. */
  readonly stable?: number
  readonly min?: number
  readonly max?: number
  /** Looks in a row, in this step, that saw it out of bounds, and how many make harm. */
  readonly breaches: number
  readonly looks: number
}

export interface TestEvidence {
  readonly eValue: number
  readonly safeEValue: number
}

export interface ComparisonEvidence extends TestEvidence {
  /** The candidate's bad share over stable's, absent while nothing is bad; with its confidence sequence. */
  readonly ratio?: number
  readonly interval: readonly [number, number]
  readonly gMax: number
}

/** Names all clusters together in a gate's progress. */
export const ALL_CLUSTERS = '*'

/** What one gate knows on one cluster, or on all together (`ALL_CLUSTERS`). Counts of different looks never overlap: `cursorMs` is where the next begins. */
export interface GateProgress {
  readonly gate: number
  readonly cluster: string
  /** End of the last counted window, in epoch milliseconds. Absent before the first. */
  readonly cursorMs?: number
  /** Of the whole rollout. */
  readonly candidate: Counts
  readonly stable: Counts
  /** Of this step alone: what `minEvents` is about. None for all clusters together. */
  readonly stepCandidate: Counts
  readonly stepStable: Counts
  /** Highest e-value of the whole rollout so far: evidence is not lost by looking on. */
  readonly maxE: number
  /** Of a gate on a value: looks in a row, in this step, that saw it out of bounds. Absent: none. */
  readonly breaches?: number
  /** What the verdict rests on. Absent before the first window, and for all clusters together. */
  readonly evidence?: GateEvidence
  readonly last?: GateVerdict
  /** RFC 3339 of the last look. */
  readonly lookedAt?: string
}

export interface Transition {
  /** What happened, as `rollouts/machine.ts` calls it; absent: the start. */
  readonly event?: string
  readonly from: RolloutPhase
  readonly to: RolloutPhase
  readonly at: string
  readonly actor: Actor
  readonly reason: string
  readonly message: string
  /** Absent: 0. */
  readonly wave?: number
  readonly step: number
  readonly weight: number
}

/**
 * A rollout as it lives in the service document, and after its end in a document of its own. `weight`, `match` and `mirror`
 * are the traffic that is now asked for the candidate on the clusters of the present wave.
 */
export interface Rollout extends CandidateTraffic {
  /** `NAMESPACE.NAME.SUFFIX`: names its service, so that a look-up is a point read. */
  readonly id: string
  readonly phase: RolloutPhase
  readonly reason: string
  readonly message: string
  readonly actor: Actor
  readonly candidate: string
  /** Clusters in order; `stable` is what each ran before. */
  readonly targets: readonly RolloutTarget[]
  readonly strategy: string
  readonly steps: readonly StepSpec[]
  /** In order; absent: one wave with all clusters. A wave whose clusters go some at a time is several of one name. */
  readonly waves?: readonly RolloutWave[]
  /** Index into `waves`; absent: 0. */
  readonly wave?: number
  readonly gates: readonly GateSpec[]
  readonly bakeMs: number
  readonly patienceMs: number
  readonly readyTimeoutMs: number
  readonly onBlind: 'pause' | 'hold'
  /** Absent: `rollback`. */
  readonly onHarm?: 'rollback' | 'freeze'
  readonly affinity?: { readonly cookie: string; readonly maxAgeMs: number }
  readonly windows?: readonly TimeWindow[]
  /** Who started it may not approve its steps. */
  readonly separateDuties?: boolean
  /** The version was to be made from these images (by container; `''`: the only one), with so many replicas. */
  readonly image?: { readonly images: Readonly<Record<string, string>>; readonly replicas: 'equal' | 'weight' }
  /** What the candidate has other than stable, as far as the service's spec tells. */
  readonly changes?: readonly VersionChange[]
  readonly alpha: number
  readonly minEvents: number
  readonly source?: { readonly commit?: string | undefined; readonly runUrl?: string | undefined }
  /** Index into the steps of the present wave; -1 before the first. */
  readonly step: number
  /** RFC 3339: when the present step began; absent: with its traffic (`weightSince`). */
  readonly stepSince?: string
  /** Render revision that carries `weight`; the step is live when every reachable placement has reached it. */
  readonly revision: number
  /** RFC 3339 of the last change of phase, and of step or weight. */
  readonly phaseSince: string
  readonly weightSince: string
  /** RFC 3339: when a freeze, or clusters out of reach, last stopped holding it up. Timeouts count from then. */
  readonly heldUntil?: string
  /** RFC 3339: when the present weight was live on all reachable clusters, settle time included. */
  readonly liveAt?: string
  /** The phase to go back to, while paused, blind or awaiting approval. */
  readonly resumeTo?: RolloutPhase
  /** Who has approved the present step. */
  readonly approvals?: readonly Actor[]
  /** Calls of the present webhook step; absent: none yet. */
  readonly webhook?: WebhookProgress
  /** Freezes and change windows do not hold it back: who said so, why, and when (RFC 3339). */
  readonly breakGlass?: { readonly actor: Actor; readonly reason: string; readonly at: string }
  readonly cause?: RollbackCause
  /** RFC 3339: the bake ends then, of the present wave or of the whole. */
  readonly bakeUntil?: string
  readonly progress: readonly GateProgress[]
  readonly warnings: readonly string[]
  /** The newest 100. */
  readonly history: readonly Transition[]
  readonly startedAt: string
  readonly updatedAt: string
  readonly endedAt?: string
  /** RFC 3339: nothing happens before, unless someone calls. Absent: waits for a person or is over. */
  readonly nextAttemptAt?: string
}

export interface RolloutWave {
  readonly name: string
  readonly clusters: readonly string[]
  readonly steps: readonly StepSpec[]
  /** How long gates look on before the next wave begins; the last wave's is the rollout's own bake. */
  readonly bakeMs: number
}

/** What the calls of a webhook step have come to. */
export interface WebhookProgress {
  /** Calls that were made, the present one included. */
  readonly attempts: number
  /** How many failed one after the other, the present one included. */
  readonly failures: number
  /** RFC 3339 of the last call. */
  readonly calledAt: string
  /** RFC 3339: when to call again. Absent: it said yes or no. */
  readonly againAt?: string
  /** `waiting`: the other side asked to be asked again. `failed`: no answer that says anything; retries may be left. */
  readonly outcome: 'passed' | 'refused' | 'waiting' | 'failed'
  /** In words, without a full stop at the end and without anything secret. */
  readonly detail: string
}

/** One thing in which the candidate differs from stable; absent on a side: it is not there, or not known (images of stable). */
export interface VersionChange {
  /** `labels.version`, `workload`, `image` (of the only container), `image.web`. */
  readonly field: string
  readonly from?: string
  readonly to?: string
}

/** One cluster of a rollout; `weight`, `match` and `mirror` are the traffic that is asked for the candidate there. */
export interface RolloutTarget extends CandidateTraffic {
  readonly cluster: string
  readonly stable: string
  readonly candidate: string
  /**
   * The most that was ever asked for it there; what matches and what is mirrored count as 1. Absent: nothing yet, so nothing
   * has to be taken back.
   */
  readonly highestWeight?: number
  /** Render revision that carries its present traffic; absent: the rollout's. */
  readonly revision?: number
  /** Why the rollout goes on without it: it showed harm (`onHarm: freeze`), or could not be reached. It keeps stable. */
  readonly out?: 'harm' | 'unreachable'
  /** Per cent of requests that really reached the candidate in the last look; null while no rung vouches for it. */
  readonly observedWeight: number | null
  /** Ready endpoints of stable at the start. */
  readonly stableReadyAtStart?: number
  readonly rollbackReadiness?: 'ready' | 'degraded'
}

/**
 * Has a person moved the rollout on since another hand's weights were seen (`driftedAt` of its placement, RFC 3339)? It
 * pauses for them, so going on is the decision to set its own again.
 */
export function wentOnSince(rollout: Pick<Rollout, 'history'>, driftedAt: string): boolean {
  return rollout.history.some(({ from, at }) => from === 'paused' && Date.parse(at) >= Date.parse(driftedAt))
}

/** `shop.web.k3x…` → `shop/web`; undefined when it is no rollout id. */
export function serviceOfRollout(id: string): string | undefined {
  const [namespace, name, suffix, more] = id.split('.')
  return namespace && name && suffix && more === undefined ? `${namespace}/${name}` : undefined
}
