import * as z from 'zod'
import { gateSpec } from './gate.ts'
import { dnsLabel } from './names.ts'

/** Body of POST /rollouts/{id}/replay: by what the past is judged; what is left out is the rollout's own. */
export const replayRequest = z
  .strictObject({
    gates: z.array(gateSpec).min(1).max(16).optional(),
    alpha: z
      .number()
      .min(0.0001)
      .max(0.2)
      .optional()
      .describe('Chance of a false alarm that the whole replay may take'),
    minEvents: z.int().min(1).max(1_000_000).optional(),
    clusters: z.array(dnsLabel).min(1).max(100).optional().describe('Some of the rollout’s; all when left out'),
  })
  .meta({ id: 'ReplayRequest' })
export type ReplayRequest = z.infer<typeof replayRequest>
