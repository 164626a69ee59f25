import * as z from 'zod'
import { durationBetween } from './names.ts'

/** A stretch of time that comes again: begins by `cron` in `timeZone`, lasts `for`. */
export const timeWindow = z.strictObject({
  cron: z.string().min(9).max(100).describe('Five fields: minute hour day month weekday'),
  for: durationBetween('5m', '7d'),
  timeZone: z.string().max(64).default('UTC').describe('IANA name, such as Europe/Berlin'),
})
export type TimeWindow = z.infer<typeof timeWindow>
