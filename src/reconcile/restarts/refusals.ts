import type { WorkloadRefused, WorkloadUnderWay } from '../../model/restarts.ts'
import type { PortError } from '../../ports/port-error.ts'
import type { RestartStop } from './stops-restarts.ts'
import type { Workload } from './workload.ts'

/** So many are refused for a reason that is of all: nothing more is begun. */
export const MOST_REFUSED = 50
/** After this the cluster is asked once more: who grants a right tells nobody. */
const ASK_AGAIN_MS = 300_000

/** Why the cluster does not answer, or what it refuses. */
export function troubleOf({ kind, reason, message }: PortError): RestartStop {
  if (kind === 'denied')
    return { reason: 'Denied', message: `${message}. Grant what infra/kubernetes/restart-role.yaml says.` }
  return { reason: reason ?? (kind === 'invalid' ? 'Refused' : 'Unreachable'), message }
}

/** A restart that the cluster refused, to be written down. `at` is RFC 3339. */
export function refusalOf(
  { kind, namespace, name, uid }: WorkloadUnderWay,
  error: PortError,
  at: string,
): WorkloadRefused {
  return { kind, namespace, name, uid, at, ...troubleOf(error) }
}

/** Those that were refused and are still to be restarted. */
export function stillRefused(
  refused: readonly WorkloadRefused[] = [],
  workloads: readonly Workload[],
): readonly WorkloadRefused[] {
  const old = new Set(workloads.filter((one) => one.old > 0).map(({ uid }) => uid))
  return refused.filter(({ uid }) => old.has(uid))
}

/** The workload, left alone while its refusal is young. `now` is epoch milliseconds. */
export function withRefusal(workload: Workload, refused: readonly WorkloadRefused[], now: number): Workload {
  const found = refused.find(({ uid }) => uid === workload.uid)
  if (!found || workload.cannot !== undefined || !isYoung(found, now)) return workload
  return { ...workload, cannot: `the cluster refuses its restart: ${found.message}` }
}

/** Is so much refused that it is not worth asking for more? `now` is epoch milliseconds. */
export function areTooMany(refused: readonly WorkloadRefused[], now: number): boolean {
  return refused.filter((one) => isYoung(one, now)).length >= MOST_REFUSED
}

function isYoung({ at }: WorkloadRefused, now: number): boolean {
  return now <= Date.parse(at) + ASK_AGAIN_MS
}

/** Why it is held: what stops all of it before what the cluster refuses. */
export function heldBy(
  stop: RestartStop | undefined,
  [first]: readonly WorkloadRefused[] = [],
): { readonly held?: RestartStop } {
  if (stop) return { held: stop }
  return first ? { held: { reason: first.reason, message: first.message } } : {}
}
