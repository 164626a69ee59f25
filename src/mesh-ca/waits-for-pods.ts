/** Reasons of a rotation that waits for Pods and for nothing else. */
const REASONS = ['WaitsForProxies', 'WaitsForControlPlane', 'WaitsForRestarts']

/** Would restarts of Pods take on what waits for this reason of a gate? */
export function waitsForPods(reason: string): boolean {
  return REASONS.includes(reason)
}
