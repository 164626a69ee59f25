import type { Witness } from './witness.ts'

/** How a pass of a service on a cluster ended, as reconcile tells it. */
export interface ReconcileEnd {
  readonly service: string
  readonly cluster: string
  readonly state: 'live' | 'settling' | 'stopped' | 'failed' | 'leaving' | 'removed'
  readonly reason: string
  readonly message: string
  readonly durationMs: number
}

/** `reconcile.ended`: a pass that failed is tried again by itself; what stays that way stands in the placement. */
export function logReconcile({ logger, telemetry }: Witness, end: ReconcileEnd): void {
  const { state, cluster, durationMs } = end
  telemetry.record('meshwright.reconcile.duration', durationMs, { outcome: state, cluster })
  logger.log(state === 'failed' ? 'warn' : 'info', 'reconcile.ended', { ...end })
}
