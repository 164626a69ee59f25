import * as z from 'zod'
import { durationBetween } from '../names.ts'

/** How a change of a policy goes out, where it reaches more than one placement. */
export const wavesSpec = z.strictObject({
  percents: z
    .array(z.int().min(1).max(99))
    .max(5)
    .refine((list) => list.every((percent, index) => index === 0 || percent > (list[index - 1] ?? 0)), 'must rise')
    .default([10])
    .describe('After the first placement so many per cent of all that change are to have it, then the rest'),
  bake: durationBetween('0s', '24h').default('0s').describe('Between waves, counted from when a wave is live'),
})
export type WavesSpec = z.infer<typeof wavesSpec>

/** The same for a service's own policy. */
export const ownWaves = z.union([z.literal('off'), wavesSpec])
