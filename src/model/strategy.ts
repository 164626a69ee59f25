import * as z from 'zod'
import { gateSpec } from './gate.ts'
import { dnsLabel, durationBetween, labelMap } from './names.ts'
import { stepSpec } from './step.ts'
import { timeWindow } from './window.ts'

const span = durationBetween('1s', '7d')

const steps = z
  .array(stepSpec)
  .min(1)
  .max(50)
  .superRefine((list, context) => {
    let highest = 0
    for (const [index, { weight, mirror }] of list.entries()) {
      if (mirror !== undefined && highest > 0) {
        const message = 'must come before the first weight'
        context.addIssue({ code: 'custom', path: [index, 'mirror'], message })
      }
      if (weight === undefined || weight < 1) continue
      if (weight <= highest) {
        context.addIssue({ code: 'custom', path: [index, 'weight'], message: 'must rise from step to step' })
      }
      highest = weight
    }
  })

const waveSpec = z.strictObject({
  name: dnsLabel.optional().describe('wave-1, wave-2 … when left out'),
  clusters: z
    .union([
      z.array(dnsLabel).min(1).max(100),
      z.strictObject({
        matchLabels: labelMap.refine((labels) => Object.keys(labels).length > 0, 'must hold at least one label'),
      }),
    ])
    .optional()
    .describe('Names, or labels that choose, of those in no earlier wave; all that are left when left out'),
  steps: steps.optional().describe('Those of the rollout when left out'),
  concurrency: z.int().min(1).max(100).optional().describe('So many clusters at once; all of the wave when left out'),
  bake: span.optional().describe('How long gates look on before the next wave begins'),
})
export type WaveSpec = z.infer<typeof waveSpec>

const affinitySpec = z
  .strictObject({
    cookie: z
      .string()
      .regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, 'must be the name of a cookie')
      .default('meshwright-version'),
    maxAge: durationBetween('1m', '7d').default('24h'),
  })
  .describe('Who once got the candidate stays with it until the rollout ends, told by a cookie')

/** What a strategy settles; a rollout may give its own. */
const settings = {
  steps,
  waves: z
    .array(waveSpec)
    .min(1)
    .max(20)
    .describe('Clusters in order, each wave with steps of its own if it likes. All clusters at once when left out'),
  bake: span.describe('How long after promotion the old version stays warm and gates go on looking'),
  gates: z.array(gateSpec).max(16).describe('None: steps pass by time'),
  alpha: z.number().min(0.0001).max(0.2).describe('Chance of a false alarm that the whole rollout may take'),
  minEvents: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('Fewer requests to the candidate decide nothing, and in a step let it not pass'),
  patience: span.describe('How long a step may be extended for want of events before it pauses'),
  readyTimeout: span.describe('How long to wait for ready endpoints of the candidate'),
  onBlind: z.enum(['pause', 'hold']).describe('What to do when metrics are missing for 30 minutes'),
  onHarm: z
    .enum(['rollback', 'freeze'])
    .describe('rollback: everything so far goes back. freeze: clusters with harm go back, the others stay as they are'),
  affinity: affinitySpec,
  windows: z
    .array(timeWindow)
    .max(20)
    .describe('Change windows: outside them nothing starts and nothing rises. Any time when left out'),
}

const guardRails = z
  .strictObject({
    gates: z
      .boolean()
      .default(false)
      .describe('true: a rollout keeps every gate of the strategy at least as strict, and what is done about it'),
    waves: z.boolean().default(false).describe('true: a rollout keeps the waves'),
    windows: z.boolean().default(false).describe('true: a rollout keeps the change windows'),
    approval: z
      .boolean()
      .default(false)
      .describe(
        'true: at least one step of each wave asks for as many approvers as the strategy does, and never goes on without',
      ),
    mostRise: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .describe('Most per cents by which one step, or the promotion after weights, may raise the weight'),
    leastFor: span.optional().describe('Every step that sets traffic lasts so long at least'),
    leastBake: span.optional(),
  })
  .describe('What rollouts that use the strategy cannot depart from')
export type GuardRails = z.infer<typeof guardRails>

/** Body of PUT /strategies/{name}: what rollouts that name it use. */
export const strategySpec = z
  .strictObject({
    steps: settings.steps,
    waves: settings.waves.optional(),
    bake: settings.bake.default('60m'),
    gates: settings.gates,
    alpha: settings.alpha.default(0.01),
    minEvents: settings.minEvents.default(50),
    patience: settings.patience.default('30m'),
    readyTimeout: settings.readyTimeout.default('10m'),
    onBlind: settings.onBlind.default('pause'),
    onHarm: settings.onHarm.default('rollback'),
    affinity: settings.affinity.optional(),
    windows: settings.windows.optional(),
    separateDuties: z.boolean().default(true).describe('Who started a rollout may not approve its steps'),
    guardRails: guardRails.optional(),
  })
  .meta({ id: 'Strategy' })
export type StrategySpec = z.infer<typeof strategySpec>

const ERRORS = { kind: 'errors', limitPercent: 1 } as const

/** The strategy `default`, used when a rollout names none. */
export const DEFAULT_STRATEGY: StrategySpec = strategySpec.parse({
  steps: [
    { weight: 5, for: '10m' },
    { weight: 25, for: '10m' },
    { weight: 50, for: '10m' },
  ],
  gates: [ERRORS],
})

/** The strategies that are there from the start; an administrator may PUT another in the place of each. */
export const BUILT_IN_STRATEGIES: Readonly<Record<string, StrategySpec>> = {
  default: DEFAULT_STRATEGY,
  'blue-green': strategySpec.parse({
    steps: [{ match: [{ headers: { 'x-preview': { exact: 'true' } } }], for: '10m' }],
    gates: [ERRORS],
  }),
  mirror: strategySpec.parse({
    steps: [
      { mirror: 100, for: '10m' },
      { weight: 10, for: '10m' },
      { weight: 50, for: '10m' },
    ],
    gates: [ERRORS],
  }),
}

/** The fields by which a rollout departs from its strategy. */
export const strategyOverrides = z.strictObject({
  steps: settings.steps.optional(),
  waves: settings.waves.optional(),
  bake: settings.bake.optional(),
  gates: settings.gates.optional(),
  minEvents: settings.minEvents.optional(),
  patience: settings.patience.optional(),
  readyTimeout: settings.readyTimeout.optional(),
  onBlind: settings.onBlind.optional(),
  onHarm: settings.onHarm.optional(),
  affinity: settings.affinity.optional(),
  windows: settings.windows.optional(),
})

export const strategyName = dnsLabel
