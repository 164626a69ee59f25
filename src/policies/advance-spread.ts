import { keyOf, type PolicyDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { timestamp } from '../model/names.ts'
import { decideSpread, type SpreadDecision } from '../model/policy/decide-spread.ts'
import type { ReleasedPlacement } from '../model/policy/spread.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { bringPolicy } from './bring-policy.ts'
import { foldSpread } from './fold-spread.ts'
import { type Fleet, isBehind, observeReach, observeWave, type Reach, readFleet } from './observe-reach.ts'
import { nextPolicy } from './put-policy.ts'

export interface SpreadDeps {
  readonly store: Store
  readonly clock: Clock
}

/** Looks a message may cost; what is left to do then is asked for by the document. */
const MOST_PASSES = 8
/** Services that are written at a time. */
const AT_ONCE = 8

type Next = 'over' | 'again' | readonly ReleasedPlacement[]

/**
 * Takes a policy on its way: what is let go is written to its services, and the next wave is let go when the one before is live. Safe to call
 * at any time and by several at once; when nothing is due it writes nothing. The failure is a lost race: the message comes
 * again. Throws PortError of the store.
 */
export async function advanceSpread(deps: SpreadDeps, name: string, session?: string): Promise<Result<undefined>> {
  for (let passes = 0; passes < MOST_PASSES; passes += 1) {
    const changed = await changeDocument(deps.store, 'policy', name, (stored) => pass(deps, stored?.value), session)
    if (!changed.ok) return changed
    const { value: next, stored } = changed.value
    if (next === 'over' || !stored) return succeed(undefined)
    const applied = next === 'again' ? succeed(undefined) : await bringAll(deps, stored.value, next)
    if (!applied.ok) return applied
  }
  return succeed(undefined)
}

/** Takes up every policy of which a service has come, by a cluster's change or a race, to carry something else. */
export async function scanPolicies(deps: SpreadDeps): Promise<Result<undefined>> {
  const [policies, fleet] = await Promise.all([deps.store.all('policy'), readFleet(deps.store)])
  let result = await takeOffGone(deps, policies, fleet)
  for (const policy of policies) {
    if (!isBehind(policy, fleet)) continue
    const advanced = await advanceSpread(deps, policy.name)
    if (!advanced.ok) result = advanced
  }
  return result
}

/** A copy of a policy that went while a service was written has no policy that would take it away. */
async function takeOffGone(
  deps: SpreadDeps,
  policies: readonly PolicyDocument[],
  { services, clusters }: Fleet,
): Promise<Result<undefined>> {
  const known = new Set(policies.map(({ name }) => name))
  const now = timestamp(deps.clock.now())
  let result: Result<undefined> = succeed(undefined)
  for (const service of services) {
    const gone = new Set((service.layers ?? []).map(({ name }) => name).filter((name) => !known.has(name)))
    for (const name of gone) {
      if (await deps.store.read('policy', name)) continue
      const policy = { ...nextPolicy(undefined, { name, spec: { appliesTo: 'all' }, now }), deletingAt: now }
      const taken = await bringPolicy(deps, policy, keyOf(service), clusters)
      if (!taken.ok) result = taken
    }
  }
  return result
}

async function pass(
  deps: SpreadDeps,
  before: PolicyDocument | undefined,
): Promise<Result<Change<PolicyDocument, Next>>> {
  if (!before) return succeed({ kind: 'leave', value: 'over' })
  const { decision, reach } = await look(deps, before)
  if (decision.kind === 'apply') return succeed({ kind: 'leave', value: decision.placements })
  const document = foldSpread(before, decision, reach, deps.clock.now())
  const value = decision.kind === 'release' ? 'again' : 'over'
  if (decision.kind === 'done' && before.deletingAt && decision.refused.length === 0)
    return succeed({ kind: 'remove', value, last: document.outbox.slice(before.outbox.length) })
  return succeed(document === before ? { kind: 'leave', value } : { kind: 'write', document, value })
}

/** The wave that is out tells most of the time what comes next; else all services are looked at. */
async function look(
  { store, clock }: SpreadDeps,
  policy: PolicyDocument,
): Promise<{ readonly decision: SpreadDecision; readonly reach?: Reach }> {
  const wave = await observeWave(store, policy)
  const quick = wave && decideSpread(policy, wave, clock.now())
  if (quick?.kind === 'apply' || quick?.kind === 'wait') return { decision: quick }
  const reach = await observeReach(store, policy, await readFleet(store))
  return { decision: decideSpread(policy, reach.placements, clock.now()), reach }
}

async function bringAll(
  deps: SpreadDeps,
  policy: PolicyDocument,
  placements: readonly ReleasedPlacement[],
): Promise<Result<undefined>> {
  const clusters = await deps.store.all('cluster')
  const services = [...new Set(placements.map(({ service }) => service))]
  let result: Result<undefined> = succeed(undefined)
  for (let from = 0; from < services.length; from += AT_ONCE) {
    const writes = services.slice(from, from + AT_ONCE).map((service) => {
      const names = placements.filter((one) => one.service === service).map(({ cluster }) => cluster)
      const places = clusters.filter(({ name }) => names.includes(name))
      return bringPolicy(deps, policy, service, places)
    })
    for (const written of await Promise.all(writes)) if (!written.ok) result = written
  }
  return result
}
