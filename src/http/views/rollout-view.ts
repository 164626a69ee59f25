import * as z from 'zod'
import { gateSpec } from '../../model/gate.ts'
import { formatDuration } from '../../model/names.ts'
import { PHASES, type Rollout, type RolloutWave, serviceOfRollout } from '../../model/rollout.ts'
import { routeMatch } from '../../model/route-match.ts'
import { stepSpec } from '../../model/step.ts'
import { stepsOf, wavesOf } from '../../model/waves.ts'
import { hideWebhookAddresses } from '../../model/webhook-address.ts'
import { timeWindow } from '../../model/window.ts'
import { actorView, time } from './common.ts'
import { verdictView, viewVerdict } from './verdict-view.ts'

const phase = z.enum(PHASES)

const waveView = z.object({
  name: z.string(),
  clusters: z.array(z.string()),
  steps: z.array(stepSpec),
  bake: z.string().describe('How long gates look on before the next wave begins'),
})

function viewWave({ name, clusters, steps, bakeMs }: RolloutWave): z.infer<typeof waveView> {
  return { name, clusters: [...clusters], steps: [...steps], bake: formatDuration(bakeMs) }
}

function viewAffinity({ affinity }: Rollout) {
  return affinity && { cookie: affinity.cookie, maxAge: formatDuration(affinity.maxAgeMs) }
}

export const transitionView = z.object({
  event: z.string().optional().describe('What happened, as docs/rollouts.md calls it; absent: the start'),
  from: phase,
  to: phase,
  at: time,
  actor: actorView,
  reason: z.string(),
  message: z.string(),
  wave: z.int().optional(),
  step: z.int(),
  weight: z.int(),
})

export const rolloutView = z
  .object({
    id: z.string(),
    service: z.string().describe('NAMESPACE/NAME'),
    phase,
    reason: z.string().describe('CamelCase, for machines'),
    message: z.string().describe('For people'),
    step: z.int().describe('Index into steps; -1 before the first'),
    wave: z.int().describe('Index into waves'),
    waves: z.array(waveView).describe('In order; one where all clusters go together'),
    weight: z.int().describe('Whole per cents now asked for the candidate, on the clusters of the present wave'),
    match: z.array(routeMatch).optional().describe('Requests that go to it whatever the weight'),
    mirror: z.int().optional().describe('Whole per cents that are copied to it'),
    candidate: z.string(),
    verdicts: z.array(verdictView).describe('The last one of each gate on each cluster'),
    targets: z.array(
      z.object({
        cluster: z.string(),
        stable: z.string(),
        candidate: z.string(),
        weight: z.int(),
        observedWeight: z
          .number()
          .nullable()
          .describe('Per cent of requests seen there; null while nothing vouches for it'),
        match: z.array(routeMatch).optional(),
        mirror: z.int().optional(),
        rollbackReadiness: z.enum(['ready', 'degraded']).optional(),
        out: z
          .enum(['harm', 'unreachable'])
          .optional()
          .describe('Why the rollout goes on without this cluster, which keeps stable'),
      }),
    ),
    strategy: z.string(),
    steps: z.array(stepSpec).describe('Of the present wave'),
    gates: z.array(gateSpec),
    bake: z.string(),
    patience: z.string(),
    readyTimeout: z.string(),
    onBlind: z.enum(['pause', 'hold']),
    onHarm: z.enum(['rollback', 'freeze']),
    separateDuties: z.boolean().describe('Who started it may not approve its steps'),
    affinity: z.object({ cookie: z.string(), maxAge: z.string() }).optional(),
    windows: z.array(timeWindow).optional(),
    changes: z
      .array(z.object({ field: z.string(), from: z.string().optional(), to: z.string().optional() }))
      .describe('What the candidate has other than stable'),
    alpha: z.number(),
    minEvents: z.int(),
    actor: actorView.describe('Who started it'),
    source: z.object({ commit: z.string().optional(), runUrl: z.string().optional() }).optional(),
    warnings: z.array(z.string()),
    history: z.array(transitionView).describe('The newest 100 transitions, the oldest first'),
    startedAt: time,
    updatedAt: time,
    endedAt: time.optional(),
    phaseSince: time,
    liveAt: time.optional().describe('When the present weight was live on all reachable clusters'),
    bakeUntil: time.optional(),
    resumeTo: phase.optional().describe('The phase to go back to, while paused, blind or awaiting approval'),
    approvals: z.array(actorView).describe('Who has approved the present step'),
    breakGlass: z
      .object({ actor: actorView, reason: z.string(), at: time })
      .optional()
      .describe('Freezes and change windows do not hold it back: who said so, and why'),
    webhook: z
      .object({
        attempts: z.int(),
        failures: z.int().describe('How many failed one after the other'),
        calledAt: time,
        againAt: time.optional().describe('When it is called again; absent after a yes or a no'),
        outcome: z.enum(['passed', 'refused', 'waiting', 'failed']),
        detail: z.string(),
      })
      .optional()
      .describe('Calls of the present webhook step'),
    cause: z.enum(['gate', 'rollback', 'abort', 'superseded', 'reject']).optional(),
    nextAttemptAt: time.optional(),
  })
  .meta({ id: 'Rollout' })
export type RolloutView = z.infer<typeof rolloutView>

/** `seesWebhooks`: the reader could have written the steps, and sees the whole addresses of their webhooks. */
export function viewRollout(rollout: Rollout, seesWebhooks: boolean): RolloutView {
  const view = viewAll(rollout)
  if (seesWebhooks) return view
  return { ...view, steps: hideWebhookAddresses(view.steps), waves: hideWebhookAddresses(view.waves) }
}

function viewAll(rollout: Rollout): RolloutView {
  const { id, source, resumeTo, cause, endedAt, liveAt, bakeUntil, nextAttemptAt, breakGlass } = rollout
  return {
    id,
    service: serviceOfRollout(id) ?? '',
    phase: rollout.phase,
    reason: rollout.reason,
    message: rollout.message,
    step: rollout.step,
    wave: rollout.wave ?? 0,
    waves: wavesOf(rollout).map(viewWave),
    weight: rollout.weight,
    candidate: rollout.candidate,
    verdicts: rollout.progress.flatMap((progress) => viewVerdict(rollout, progress)),
    targets: rollout.targets.map(viewTarget),
    strategy: rollout.strategy,
    steps: [...stepsOf(rollout)],
    gates: [...rollout.gates],
    bake: formatDuration(rollout.bakeMs),
    patience: formatDuration(rollout.patienceMs),
    readyTimeout: formatDuration(rollout.readyTimeoutMs),
    onBlind: rollout.onBlind,
    onHarm: rollout.onHarm ?? 'rollback',
    separateDuties: rollout.separateDuties ?? false,
    approvals: [...(rollout.approvals ?? [])],
    changes: [...(rollout.changes ?? [])],
    alpha: rollout.alpha,
    minEvents: rollout.minEvents,
    actor: rollout.actor,
    warnings: [...rollout.warnings],
    history: [...rollout.history],
    startedAt: rollout.startedAt,
    updatedAt: rollout.updatedAt,
    phaseSince: rollout.phaseSince,
    ...present({ source, resumeTo, cause, endedAt, liveAt, bakeUntil, nextAttemptAt, breakGlass }),
    ...present({ match: rollout.match && [...rollout.match], mirror: rollout.mirror, affinity: viewAffinity(rollout) }),
    ...present({ windows: rollout.windows && [...rollout.windows], webhook: rollout.webhook }),
  }
}

function viewTarget(target: Rollout['targets'][number]): RolloutView['targets'][number] {
  const { cluster, stable, candidate, weight, match, mirror, observedWeight, rollbackReadiness, out } = target
  return {
    cluster,
    stable,
    candidate,
    weight,
    observedWeight,
    ...present({ match: match && [...match], mirror, rollbackReadiness, out }),
  }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** `fields` without those that are undefined. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>
}
