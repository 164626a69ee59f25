import { RESTARTER } from '../../mesh/marks.ts'
import { timestamp } from '../../model/names.ts'
import type { RestartIntent, RestartsState, WorkloadRefused } from '../../model/restarts.ts'
import type { ClusterApi } from '../../ports/cluster-api.ts'
import { isPortError } from '../../ports/port-error.ts'
import type { ReconcileDeps } from '../deps.ts'
import { heldBy, MOST_REFUSED, refusalOf, troubleOf } from './refusals.ts'
import { restartOf } from './restart-of.ts'
import { type RestartStop, stopsRestarts } from './stops-restarts.ts'
import type { Asked } from './under-way.ts'

export interface AskOutcome {
  readonly written: ReadonlySet<string>
  readonly refused: readonly WorkloadRefused[]
  readonly held?: RestartStop
}

/**
 * Asks the cluster for each restart. What stops one ends it; what the cluster refuses is that workload's alone, and the others go
 * on. Throws PortError of the store.
 */
export async function askForRestarts(
  deps: Pick<ReconcileDeps, 'store' | 'clock'>,
  { name, intent }: { readonly name: string; readonly intent: RestartIntent },
  api: ClusterApi,
  asked: readonly Asked[],
): Promise<AskOutcome> {
  const written = new Set<string>()
  const refused: WorkloadRefused[] = []
  for (const { entry, workload } of asked) {
    const stop = await stopsRestarts(deps, name, intent)
    if (stop) return { written, refused, held: stop }
    try {
      await api.apply(restartOf(workload.live, entry.since), { force: true, manager: RESTARTER })
      written.add(entry.uid)
    } catch (error) {
      if (!isPortError(error)) throw error
      if (error.kind === 'denied' || error.kind === 'invalid')
        refused.push(refusalOf(entry, error, timestamp(deps.clock.now())))
      // It was changed since it was read: the next pass looks at it anew.
      else if (error.kind !== 'precondition') return { written, refused, held: troubleOf(error) }
    }
  }
  return { written, refused }
}

/** The state with what the cluster said to each. */
export function afterAsking(state: RestartsState, { written, refused: news, held }: AskOutcome): RestartsState {
  const isNew = new Set(news.map(({ uid }) => uid))
  const kept = (state.refused ?? []).filter(({ uid }) => !written.has(uid) && !isNew.has(uid))
  const refused = [...kept, ...news].slice(0, MOST_REFUSED)
  const cannot = news.map(({ kind, namespace, name, message }) => {
    return `${kind} ${namespace}/${name}: the cluster refuses its restart: ${message}`
  })
  const { refused: _refused, held: _held, ...rest } = state
  return {
    ...rest,
    underWay: state.underWay
      .filter(({ uid }) => !isNew.has(uid))
      .map((one) => (written.has(one.uid) ? { ...one, written: true as const } : one)),
    cannot: [...cannot, ...state.cannot].slice(0, MOST_CANNOT),
    ...(refused.length > 0 ? { refused } : {}),
    ...heldBy(held, refused),
  }
}

/** As many as are told of. */
export const MOST_CANNOT = 20
