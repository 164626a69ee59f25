import { logReconcile } from './log/reconcile-ended.ts'
import type { Witness } from './log/witness.ts'
import {
  type ReconcileDeps,
  type ReconcileOutcome,
  type ReconcileRequest,
  reconcilePlacement,
} from './reconcile/reconcile-placement.ts'

/** Reconciles a service on a cluster and tells operators how that ended. Throws PortError of the store. */
export async function reconcileObserved(
  deps: ReconcileDeps & Witness,
  request: ReconcileRequest,
): Promise<ReconcileOutcome> {
  const started = deps.clock.now()
  const { service, cluster } = request
  const outcome = await reconcilePlacement(deps, request)
  const { state, reason, message } = outcome
  logReconcile(deps, { service, cluster, state, reason, message, durationMs: deps.clock.now() - started })
  return outcome
}
