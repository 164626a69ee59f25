import { logReconcile } from './log/reconcile-ended.ts'
import type { Witness } from './log/witness.ts'
import { type ReconcileDeps, type ReconcileRequest, reconcilePlacement } from './reconcile/reconcile-placement.ts'

/** Reconciles a service on a cluster and tells operators how that ended. Throws PortError of the store. */
export async function reconcileObserved(deps: ReconcileDeps & Witness, request: ReconcileRequest): Promise<void> {
  const started = deps.clock.now()
  const { service, cluster } = request
  const { state, reason, message } = await reconcilePlacement(deps, request)
  logReconcile(deps, { service, cluster, state, reason, message, durationMs: deps.clock.now() - started })
}
