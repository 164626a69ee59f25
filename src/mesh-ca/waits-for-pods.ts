import type { MeshCaDocument } from '../model/documents.ts'

/** Reasons of a rotation that waits for Pods and for nothing else. */
const REASONS = ['WaitsForProxies', 'WaitsForControlPlane', 'WaitsForRestarts']

/** Would restarts of Pods take on what waits for this reason of a gate? */
export function waitsForPods(reason: string): boolean {
  return REASONS.includes(reason)
}

/** Does it wait for restarts that Meshwright has yet to make, so that nobody else need be called? Nothing is restarted while `switching`. */
export function isLeftToRestarts({ rotation, spec }: MeshCaDocument, reason: string): boolean {
  if (!spec.restarts || !waitsForPods(reason) || !rotation || rotation.phase === 'switching') return false
  const { restarts } = rotation
  return !restarts || restarts.left > 0 || restarts.underWay.length > 0
}
