import * as z from 'zod'
import { hasQueries } from '../../model/gate.ts'
import { GATE_SOURCES } from '../../model/metrics.ts'
import type { GateProgress, Rollout } from '../../model/rollout.ts'
import { countsView, time } from './common.ts'

const interval = z.array(z.number()).length(2)

const testView = z.object({
  eValue: z.number().describe('Its part of the evidence for harm'),
  safeEValue: z.number().describe('Evidence for safe, in this step'),
})

export const verdictView = z
  .object({
    gate: z.int().describe('Index into gates'),
    kind: z.string(),
    name: z.string().optional().describe('Of a gate with queries'),
    from: z.enum(GATE_SOURCES).describe('Which metrics were counted'),
    cluster: z.string().describe('* for all clusters together'),
    verdict: z.enum(['harm', 'safe', 'undecided', 'blind']),
    reason: z.string(),
    explanation: z.string().describe('Counts, interval, limit, ratio and what follows, in words'),
    candidate: countsView.describe('The requests of this step; of harm, all since the step where it begins to show'),
    stable: countsView,
    eValue: z.number().describe('Evidence for harm; harm is called at 1/alpha'),
    pValue: z.number().optional(),
    interval: interval.describe("The candidate's bad share, low and high, 0 to 1"),
    alpha: z.number().describe('Part of the rollout’s alpha that this judgement has'),
    spent: z.number().optional().describe('How much of that is at stake up to this step'),
    limitPercent: z.number().optional(),
    limit: testView.optional().describe('The limit alone'),
    comparison: testView
      .extend({
        ratio: z.number().optional().describe("The candidate's bad share over stable's"),
        interval: interval.describe('Of that ratio; 0 and 1000000 are no bounds'),
        gMax: z.number(),
      })
      .optional()
      .describe('The comparison with stable'),
    dispersion: z.number().optional().describe('How many at a time bad events count as one: the correction for bursts'),
    share: z
      .object({ got: z.number(), asked: z.number(), eValue: z.number() })
      .optional()
      .describe('The candidate’s share of the requests of this step, and what the weight asks'),
    value: z
      .object({
        candidate: z.number(),
        stable: z.number().optional().describe('Asked for only when the candidate’s is out of bounds'),
        min: z.number().optional(),
        max: z.number().optional(),
        breaches: z.int().describe('Looks in a row, in this step, that saw it out of bounds'),
        looks: z.int().describe('So many are harm'),
      })
      .optional()
      .describe('Of a gate on a value, which counts nothing and spends none of alpha'),
    needed: z.number().optional().describe('About how many more requests until a bad share of neededFor would be seen'),
    neededFor: z.number().optional(),
    lookedAt: time.optional(),
  })
  .meta({ id: 'GateVerdict' })
export type VerdictView = z.infer<typeof verdictView>

/** The last verdict of a gate on a cluster; none before its first look. */
export function viewVerdict(rollout: Rollout, progress: GateProgress): readonly VerdictView[] {
  const { gate, cluster, last, lookedAt } = progress
  if (!last) return []
  const spec = rollout.gates[gate]
  const name = spec && hasQueries(spec) ? spec.name : undefined
  const { comparison, interval: own, ...same } = last
  return [
    {
      gate,
      kind: spec?.kind ?? 'unknown',
      ...(name === undefined ? {} : { name }),
      from: spec?.from ?? 'mesh',
      cluster,
      ...same,
      interval: [...own],
      ...(comparison ? { comparison: { ...comparison, interval: [...comparison.interval] } } : {}),
      ...(lookedAt === undefined ? {} : { lookedAt }),
    },
  ]
}
