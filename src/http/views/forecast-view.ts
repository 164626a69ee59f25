import * as z from 'zod'
import { gateKind } from '../../model/gate.ts'
import { formatDuration, timestamp } from '../../model/names.ts'
import { serviceOfRollout } from '../../model/rollout.ts'
import { trafficText } from '../../model/step.ts'
import type { Forecast } from '../../rollouts/plan/forecast.ts'
import type { Hold } from '../../rollouts/plan/holds.ts'
import type { GateForecast, StepForecast, WaveForecast } from '../../rollouts/plan/timeline.ts'
import type { ClusterTraffic } from '../../rollouts/plan/traffic.ts'
import { time } from './common.ts'

const holdView = z.object({
  reason: z.enum(['Frozen', 'OutsideWindow']),
  message: z.string(),
  until: time.optional().describe('Left out: nobody knows'),
})

const gateView = z.object({
  gate: z.int().describe('Index into gates'),
  kind: z.string(),
  cluster: z.string(),
  expected: z.number().optional().describe('Requests to the candidate that it will count in the step'),
  needed: z.number().optional().describe('About how many of them show a bad share of neededFor'),
  neededFor: z
    .number()
    .optional()
    .describe('0 to 1: twice the limit, or gMax times stable’s where the gate compares and that is more'),
  decides: z.boolean().optional().describe('The step has as many as are needed; left out: not known'),
  at: time.optional().describe('When it would be seen at the earliest'),
})

const stepView = z.object({
  step: z.int().describe('Index into the steps of the wave'),
  what: z.string(),
  traffic: z.string().describe('What the candidate gets'),
  from: time.describe('At the earliest'),
  until: time.describe('At the earliest'),
  requests: z
    .object({ candidate: z.number(), stable: z.number() })
    .optional()
    .describe('In the step, on all clusters of the wave; left out: not known'),
  enough: z.boolean().optional().describe('As many requests to the candidate as minEvents asks for'),
  longerBy: z.string().describe('How much longer than it says it lasts for want of evidence'),
  ends: z.enum(['passes', 'pauses', 'rolls-back']).describe('When its patience is over it may not pass'),
  waitsFor: z.array(z.string()).describe('Whom or what it waits for besides; they are taken to answer at once'),
  holds: z.array(holdView).describe('What holds its begin back'),
  gates: z.array(gateView),
})

export const forecastView = z
  .object({
    service: z.string(),
    candidate: z.string(),
    strategy: z.string(),
    targets: z.array(z.object({ cluster: z.string(), stable: z.string(), candidate: z.string() })),
    changes: z.array(z.object({ field: z.string(), from: z.string().optional(), to: z.string().optional() })),
    gates: z.array(z.string()),
    minEvents: z.int(),
    traffic: z
      .array(
        z.object({
          cluster: z.string(),
          requestsPerMinute: z.number().nullable().describe('Over the last hour; null: not known'),
          badPercent: z
            .array(z.object({ gate: z.int(), percent: z.number() }))
            .describe('What each gate would call bad now'),
          why: z.string().optional().describe('Why it is not known'),
        }),
      )
      .describe('What the service gets now'),
    waves: z.array(
      z.object({
        wave: z.int(),
        name: z.string(),
        clusters: z.array(z.string()),
        steps: z.array(stepView).describe('Those that are left'),
        promotedAt: time.describe('When the candidate gets all requests of the wave, at the earliest'),
        bakedAt: time,
        holds: z.array(holdView).describe('What holds the promotion back'),
      }),
    ),
    endsAt: time.describe('At the earliest'),
    warnings: z.array(z.string()),
    objects: z.string().describe('Path of the plan of the objects on the clusters'),
  })
  .meta({ id: 'RolloutPlan' })
type ForecastView = z.infer<typeof forecastView>

/** A forecast as the API tells it. */
export function viewForecast({ rollout, traffic, timeline, warnings }: Forecast): ForecastView {
  const service = serviceOfRollout(rollout.id) ?? ''
  const gates = rollout.gates.map(gateKind)
  return {
    service,
    candidate: rollout.candidate,
    strategy: rollout.strategy,
    targets: rollout.targets.map(({ cluster, stable, candidate }) => ({ cluster, stable, candidate })),
    changes: [...(rollout.changes ?? [])],
    gates,
    minEvents: rollout.minEvents,
    traffic: rollout.targets.map(({ cluster }) => viewTraffic(cluster, gates.length, traffic[cluster])),
    waves: timeline.waves.map((wave) => viewWave(wave, rollout.minEvents, gates)),
    endsAt: timestamp(timeline.endMs),
    warnings: [...warnings],
    objects: `/services/${service}/plan`,
  }
}

function viewTraffic(cluster: string, gates: number, traffic: ClusterTraffic = { gates: {} }) {
  const { perMinute, why } = traffic
  const known = Object.entries(traffic.gates).filter(([gate]) => Number(gate) < gates)
  return {
    cluster,
    requestsPerMinute: perMinute === undefined ? null : rounded(perMinute),
    badPercent: known.map(([gate, { bad }]) => ({ gate: Number(gate), percent: Number((bad * 100).toPrecision(3)) })),
    ...(why === undefined ? {} : { why }),
  }
}

function viewWave(wave: WaveForecast, minEvents: number, kinds: readonly string[]) {
  const { name, clusters, steps, promoteMs, bakedMs, holds } = wave
  return {
    wave: wave.wave,
    name,
    clusters: [...clusters],
    steps: steps.map((step) => viewStep(step, minEvents, kinds)),
    promotedAt: timestamp(promoteMs),
    bakedAt: timestamp(bakedMs),
    holds: holds.map(viewHold),
  }
}

function viewStep(step: StepForecast, minEvents: number, kinds: readonly string[]) {
  const { requests } = step
  return {
    step: step.step,
    what: step.what,
    traffic: trafficText(step.traffic),
    from: timestamp(step.fromMs),
    until: timestamp(step.untilMs),
    ...(requests
      ? {
          requests: { candidate: rounded(requests.candidate), stable: rounded(requests.stable) },
          enough: requests.candidate >= minEvents,
        }
      : {}),
    longerBy: formatDuration(Math.ceil(step.stretchedMs / 1000) * 1000),
    ends: step.ends,
    waitsFor: [...step.waitsFor],
    holds: step.holds.map(viewHold),
    gates: step.gates.map((gate) => viewGate(gate, kinds)),
  }
}

function viewGate({ gate, cluster, expected, needed, harm, seenMs }: GateForecast, kinds: readonly string[]) {
  const known = expected !== undefined && needed !== undefined
  return {
    gate,
    kind: kinds[gate] ?? '',
    cluster,
    ...(expected === undefined ? {} : { expected: rounded(expected) }),
    ...(needed === undefined ? {} : { needed: Math.ceil(needed), neededFor: harm ?? 0 }),
    ...(known ? { decides: seenMs !== undefined } : {}),
    ...(seenMs === undefined ? {} : { at: timestamp(seenMs) }),
  }
}

function viewHold({ reason, message, untilMs }: Hold) {
  return { reason, message, ...(untilMs === undefined ? {} : { until: timestamp(untilMs) }) }
}

/** Tenths of requests tell low traffic from none. */
function rounded(requests: number): number {
  return Math.round(requests * 10) / 10
}
