import type { Witness } from './witness.ts'

/** `sweep.ended`: what a sweep found. One that finds nothing is not told of: it comes every half minute. */
export function logSweep(
  { logger, telemetry }: Witness,
  found: { readonly due: number; readonly unrelayed: number; readonly oldestS: number },
): void {
  telemetry.gauge('meshwright.sweep.due', found.due)
  telemetry.gauge('meshwright.outbox.unrelayed', found.unrelayed)
  telemetry.gauge('meshwright.outbox.age', found.oldestS)
  if (found.due + found.unrelayed > 0) logger.log('info', 'sweep.ended', found)
}
