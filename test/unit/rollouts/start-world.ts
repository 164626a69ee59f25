import type { ServiceDocument } from '../../../src/model/documents.ts'
import type { Result } from '../../../src/model/failure.ts'
import type { RequestContext } from '../../../src/model/request.ts'
import { type Rollout, rolloutRequest } from '../../../src/model/rollout.ts'
import type { Plan } from '../../../src/reconcile/plan.ts'
import { type StartDeps, startRollout } from '../../../src/rollouts/start-rollout.ts'
import { aCluster, aService, aTeam, by } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { T0 } from './fixture.ts'

export interface StartWorld {
  readonly store: MemoryStore
  readonly metrics: FakeMetrics
  /** What a start works with. */
  readonly deps: StartDeps
  /** What clusters answer to a plan, by name; nothing to say when left out. */
  readonly plans: Record<string, Partial<Plan>>
  /** The documents that were planned. */
  readonly planned: ServiceDocument[]
  /** POSTs a rollout of v2, or of what `body` says, at T0. */
  readonly start: (body?: Readonly<Record<string, unknown>>, context?: RequestContext) => Promise<Result<Rollout>>
  /** How many ids were drawn. */
  readonly uuids: () => number
}

/** shop/web of team shop, on east and west. */
export function startWorld(): StartWorld {
  const store = new MemoryStore()
  const metrics = new FakeMetrics()
  for (const document of [aCluster('east'), aCluster('west'), aTeam(), aService()]) store.put(document)
  let drawn = 0
  const plans: Record<string, Partial<Plan>> = {}
  const planned: ServiceDocument[] = []
  const plan = async (service: ServiceDocument, cluster: string): Promise<Plan> => {
    planned.push(service)
    return { cluster, changes: [], findings: [], ...plans[cluster] }
  }
  const clock = { now: () => T0, sleep: async () => undefined }
  const random = { next: () => 0.5, uuid: () => `uuid-${drawn++}` }
  const addresses = { refusal: async () => undefined }
  const deps = { store, metrics, clock, random, plan, addresses }
  return {
    store,
    metrics,
    deps,
    plans,
    planned,
    start: (body = {}, context = by()) => {
      const request = rolloutRequest.parse({ candidate: 'v2', ...body })
      return startRollout(deps, 'shop', 'web', request, context)
    },
    uuids: () => drawn,
  }
}
