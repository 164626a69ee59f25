import type { AnyDocument, FreezeDocument } from '../../../src/model/documents.ts'
import { durationMs } from '../../../src/model/names.ts'
import type { Rollout } from '../../../src/model/rollout.ts'

/** Freezes and change windows: what has forbidden rises for a while. */
export interface HoldWatch {
  /** Call with every freeze as it is written; undefined document: it is gone. */
  written(place: string, document: AnyDocument | undefined): void
  /** Why nothing of the rollout might rise on a cluster from `since` until now (epoch ms); undefined: at some moment it might. */
  frozen(service: string, cluster: string, since: number): string | undefined
  closed(rollout: Rollout, since: number): string | undefined
}

/** `skewMs`: how far clocks of processes may be from the true time. */
export function watchHolds(now: () => number, skewMs: number): HoldWatch {
  const freezes = new Map<string, { readonly since: number; readonly freeze: FreezeDocument }>()
  return {
    written(place, document) {
      freezes.delete(place)
      if (document?.kind === 'freeze') freezes.set(place, { since: now(), freeze: document })
    },
    frozen(service, cluster, since) {
      const found = [...freezes.values()].find((one) => one.since <= since && holds(one.freeze, service, cluster))
      return found && `freeze ${found.freeze.name} holds since ${new Date(found.since).toISOString()}`
    },
    closed({ windows }, since) {
      if (!windows) return undefined
      // Stories draw windows that begin every so many minutes of an hour, in UTC.
      const open = windows.some(({ cron, for: length }) => {
        const minutes = Number(/^\*\/(\d+) /.exec(cron)?.[1])
        return opensBetween(minutes, durationMs(length), since - skewMs, now() + skewMs)
      })
      return open ? undefined : `no change window was open since ${new Date(since).toISOString()}`
    },
  }
}

const MINUTE_MS = 60_000

function opensBetween(minutes: number, lengthMs: number, fromMs: number, toMs: number): boolean {
  for (let begin = Math.floor((fromMs - lengthMs) / MINUTE_MS) * MINUTE_MS; begin <= toMs; begin += MINUTE_MS) {
    if (new Date(begin).getUTCMinutes() % minutes === 0 && begin + lengthMs > fromMs) return true
  }
  return false
}

/** Stories draw freezes for all, for services and for clusters by name, without an end. */
function holds(
  { spec, deletingAt }: FreezeDocument & { readonly deletingAt?: string },
  service: string,
  cluster: string,
) {
  const { covers, scope } = spec
  if (deletingAt !== undefined || !covers.includes('rollouts')) return false
  if (scope.services && !scope.services.includes(service)) return false
  return !scope.clusters || (Array.isArray(scope.clusters) && scope.clusters.includes(cluster))
}
