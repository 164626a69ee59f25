import type { KubeObject } from '../../model/kube.ts'
import { withPreconditions } from '../apply.ts'
import { RESTARTED_AT } from './workload.ts'

/**
 * The one field that restarts a workload, as `kubectl rollout restart` sets it, on the workload as it was read. `at` is RFC 3339.
 * To be applied as `RESTARTER`: the manager of all else that is ours would lose what is not named here.
 */
export function restartOf(live: KubeObject, at: string): KubeObject {
  const { namespace = '', name } = live.metadata
  const template = { metadata: { annotations: { [RESTARTED_AT]: at } } }
  const { apiVersion, kind } = live
  return withPreconditions({ apiVersion, kind, metadata: { name, namespace }, spec: { template } }, live)
}
