import type { ClusterWorkDeps } from './handle-work.ts'
import type { AnyDocument } from './model/documents.ts'
import { type Result, succeed } from './model/failure.ts'
import type { OutboxEntry } from './model/outbox.ts'
import type { Stored } from './ports/store.ts'
import type { ReconcileOutcome } from './reconcile/reconcile-placement.ts'
import { reconcileObserved } from './reconcile-observed.ts'
import { type Memory, remembering } from './remembering-store.ts'
import { advanceRollouts } from './rollouts/advance-rollouts.ts'

/** More clusters than this are left to the queue, which spreads them over workers. */
const MOST_CLUSTERS = 8
/** From the start of a rollout without steps to its end there are no more. */
const MOST_TURNS = 8

/**
 * Takes the next step of a service's rollouts and carries it out: what the decision asks of clusters is done at once, and
 * what that tells is decided on, until something has to be waited for. Outboxes are left in their documents until then and
 * lose what was done here; what a crash leaves in them goes over the queue. Throws PortError of the store.
 */
export async function advanceAndReconcile(
  deps: ClusterWorkDeps,
  service: string,
  session?: string,
): Promise<Result<undefined>> {
  return withChain(deps, service, (chain) => takeTurns(chain, session))
}

/** Brings a service on a cluster to what its document says and, where a rollout waits for that, goes on with it. */
export async function reconcileAndAdvance(
  deps: ClusterWorkDeps,
  { service, cluster, session }: { readonly service: string; readonly cluster: string; readonly session?: string },
): Promise<Result<undefined>> {
  return withChain(deps, service, async (chain) => {
    const { state } = await carryOut(chain, cluster, session)
    return chain.told.size > 0 && state !== 'settling' ? takeTurns(chain) : succeed(undefined)
  })
}

/** What one invocation does in a row for a service. */
interface Chain {
  readonly deps: ClusterWorkDeps
  readonly memory: Memory
  readonly service: string
  /** Documents whose outbox is still to be sent on, as written last. */
  readonly left: Map<string, Stored<AnyDocument>>
  /** Ids of entries in them that are done. */
  readonly done: Set<string>
  /** Ids of entries by which placements ask for a look at the rollouts that was not taken yet. */
  readonly told: Set<string>
}

async function withChain<T>(deps: ClusterWorkDeps, service: string, work: (chain: Chain) => Promise<T>): Promise<T> {
  const memory = remembering(deps.store, deps.clock)
  const chain: Chain = { deps, memory, service, left: new Map(), done: new Set(), told: new Set() }
  try {
    return await work(chain)
  } finally {
    await Promise.all([...chain.left.values()].map((stored) => deps.store.sendOn(stored, chain.done)))
  }
}

/** `session`: of who asks. After the first turn this process has seen more than it tells. */
async function takeTurns(chain: Chain, session?: string): Promise<Result<undefined>> {
  const { memory, service, left, done, told } = chain
  const deps = { ...chain.deps, store: memory.toDecide }
  for (let turn = 1; turn <= MOST_TURNS; turn += 1) {
    const heard = [...told]
    const advanced = await advanceRollouts(deps, service, turn === 1 ? session : undefined, { done })
    if (!advanced.ok) return advanced
    for (const id of heard) done.add(id)
    const written = advanced.value
    if (!written) break
    left.set(service, written)
    const asked = written.value.outbox.flatMap((entry) => passOf(entry) ?? [])
    if (asked.length === 0 || asked.length > MOST_CLUSTERS) break
    const outcomes = await inParallel(asked, async ({ id, cluster }) => {
      const outcome = await carryOut(chain, cluster, written.session)
      done.add(id)
      return outcome
    })
    // The pass that finds it settled brings the rollout on.
    if (outcomes.every(({ state }) => state === 'settling')) break
    memory.recall(written)
  }
  return succeed(undefined)
}

function passOf(entry: OutboxEntry): { readonly id: string; readonly cluster: string } | undefined {
  if (entry.kind !== 'work' || entry.message.kind !== 'reconcile') return undefined
  return { id: entry.id, cluster: entry.message.cluster }
}

async function carryOut(chain: Chain, cluster: string, session: string | undefined): Promise<ReconcileOutcome> {
  const { memory, service, left, done, told } = chain
  const deps = { ...chain.deps, store: memory.toAct }
  const known = left.get(cluster)
  if (known) memory.recall(known)
  const request = { service, cluster, ...(session === undefined ? {} : { session }), outbox: 'left' as const }
  const outcome = await reconcileObserved(deps, request)
  if (outcome.left) left.set(cluster, outcome.left)
  for (const { id, ...entry } of outcome.left?.value.outbox ?? []) {
    if (entry.kind !== 'work' || entry.message.kind !== 'advance') continue
    if (outcome.state === 'settling') done.add(id)
    else told.add(id)
  }
  return outcome
}

/** All are done even if one fails; then its error is thrown. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results = await Promise.allSettled(items.map(work))
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
