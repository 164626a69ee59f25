import * as z from 'zod'
import { GATE_SOURCES, type GateSource } from './metrics.ts'
import { dnsLabel, durationBetween } from './names.ts'

const span = durationBetween('1s', '7d')

export const stepSpec = z.strictObject({
  weight: z.int().min(1).max(100).describe('Whole per cents of the requests that the candidate gets'),
  for: span.describe('How long at least, counted from the time the weight is live'),
  analysis: z.boolean().optional().describe('true: the step ends only when every gate says safe'),
  approval: z.boolean().optional().describe('true: the step ends only when an approver says so'),
})
export type StepSpec = z.infer<typeof stepSpec>

const percent = z.number().min(0.01).max(50)

const FROM = 'Which of the cluster’s metrics count; left out: mesh'

export const gateSpec = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('errors'),
    from: z.enum(GATE_SOURCES).optional().describe(FROM),
    limitPercent: percent.describe('Most that may fail: 5xx answers or failing gRPC statuses, in per cent of all'),
  }),
  z.strictObject({
    kind: z.literal('latency'),
    from: z.enum(['mesh', 'logs']).optional().describe(FROM),
    overMs: z
      .number()
      .positive()
      .max(3_600_000)
      .describe('Slower than this is bad; must be an edge of the histogram of the mesh; any number for logs'),
    limitPercent: percent.describe('Most that may be slower, in per cent of all'),
  }),
])
export type GateSpec = z.infer<typeof gateSpec>

/** What a strategy settles; a rollout may give its own, but not weaker gates. */
const settings = {
  steps: z
    .array(stepSpec)
    .min(1)
    .max(50)
    .refine((steps) => steps.every((step, index) => index === 0 || step.weight > (steps[index - 1]?.weight ?? 0)), {
      message: 'weights must rise from step to step',
    }),
  bake: durationBetween('1s', '7d').describe(
    'How long after promotion the old version stays warm and gates go on looking',
  ),
  gates: z.array(gateSpec).max(16).describe('None: steps pass by time'),
  alpha: z.number().min(0.0001).max(0.2).describe('Chance of a false alarm that the whole rollout may take'),
  minEvents: z.int().min(1).max(1_000_000).describe('Fewer requests to the candidate in a step decide nothing'),
  patience: span.describe('How long a step may be extended for want of events before it pauses'),
  readyTimeout: span.describe('How long to wait for ready endpoints of the candidate'),
  onBlind: z.enum(['pause', 'hold']).describe('What to do when metrics are missing for 30 minutes'),
}

/** Body of PUT /strategies/{name}: what rollouts that name it use. */
export const strategySpec = z
  .strictObject({
    steps: settings.steps,
    bake: settings.bake.default('60m'),
    gates: settings.gates,
    alpha: settings.alpha.default(0.01),
    minEvents: settings.minEvents.default(50),
    patience: settings.patience.default('30m'),
    readyTimeout: settings.readyTimeout.default('10m'),
    onBlind: settings.onBlind.default('pause'),
  })
  .meta({ id: 'Strategy' })
export type StrategySpec = z.infer<typeof strategySpec>

/** The strategy `default`, used when a rollout names none; an administrator may PUT another in its place. */
export const DEFAULT_STRATEGY: StrategySpec = strategySpec.parse({
  steps: [
    { weight: 5, for: '10m' },
    { weight: 25, for: '10m' },
    { weight: 50, for: '10m' },
  ],
  gates: [{ kind: 'errors', limitPercent: 1 }],
})

/** The fields by which a rollout departs from its strategy. */
export const strategyOverrides = z.strictObject({
  steps: settings.steps.optional(),
  bake: settings.bake.optional(),
  gates: settings.gates.optional(),
  minEvents: settings.minEvents.optional(),
  patience: settings.patience.optional(),
  readyTimeout: settings.readyTimeout.optional(),
  onBlind: settings.onBlind.optional(),
})

export const strategyName = dnsLabel

/** Where a gate gets its numbers. */
export function sourceOf(gate: GateSpec): GateSource {
  return gate.from ?? 'mesh'
}

/** A gate's kind as people read it: `errors`, `errors from logs`. */
export function gateKind(gate: GateSpec): string {
  return sourceOf(gate) === 'mesh' ? gate.kind : `${gate.kind} from ${gate.from}`
}

/** A gate as people read it: `errors`, `latency from logs over 300 ms`. */
export function gateText(gate: GateSpec): string {
  return gate.kind === 'latency' ? `${gateKind(gate)} over ${gate.overMs} ms` : gateKind(gate)
}
