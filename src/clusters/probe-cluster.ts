import { type Condition, type ConditionInput, setCondition } from '../model/condition.ts'
import { canonicalJson } from '../model/digest.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { type FoundPlace, foundKey } from '../model/found.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { watchQueue } from '../model/watch-queue.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import type { ManagedClusters } from '../ports/managed-clusters.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import { clusterEvent } from './cluster-event.ts'
import { type Probe, probe } from './probe.ts'

export interface ProbeDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly clusters: ClusterApis
  readonly metrics: MetricsSources
  readonly managedClusters: ManagedClusters
}

const RETRY_LEAST_MS = 2_000
const RETRY_MOST_MS = 300_000

/**
 * Asks Azure about a cluster by ARM id, connects to it, finds out its mesh and sets `AzureReady` (by ARM id alone),
 * `Reachable`, `MeshReady` and `MetricsReady`. An unreachable one is tried again with growing pauses; when it answers
 * again, what waited for it is taken up at once. A probe that finds nothing new writes nothing, but where `record` asks for the
 * time of it. One that is being let go is left alone.
 */
export async function probeCluster(
  deps: ProbeDeps,
  name: string,
  { session, record: isAsked = false }: { readonly session?: string; readonly record?: boolean } = {},
): Promise<Result<undefined>> {
  const stored = await deps.store.read('cluster', name, session)
  if (!stored) return fail('NotFound', `There is no cluster ${name}.`)
  if (stored.value.deletingAt !== undefined) return succeed(undefined)
  const found = await probe(deps, stored.value)
  const changed = await changeDocument(
    deps.store,
    'cluster',
    name,
    (current): Result<Change<ClusterDocument, undefined>> => {
      // Changed in the meantime: that write asked for a probe of its own, or for none any more.
      if (!current || current.value.generation !== stored.value.generation || current.value.deletingAt !== undefined)
        return succeed({ kind: 'leave', value: undefined })
      const document = record(withoutProbes(current.value, stored.value), found, deps, isAsked)
      return succeed(document ? { kind: 'write', document, value: undefined } : { kind: 'leave', value: undefined })
    },
    session,
  )
  return changed.ok ? succeed(undefined) : changed
}

/**
 * Without the work that this probe has done: what its outbox asked for when it began. A write sends on all that it finds there,
 * and where metrics come and go each probe would write, and ask for the next.
 */
function withoutProbes(current: ClusterDocument, atStart: ClusterDocument): ClusterDocument {
  const done = atStart.outbox.filter((entry) => entry.kind === 'work' && entry.message.kind === 'probe')
  return { ...current, outbox: current.outbox.filter(({ id }) => !done.some((entry) => entry.id === id)) }
}

/** The document after a probe; undefined when nothing changed. */
function record(before: ClusterDocument, found: Probe, deps: ProbeDeps, isAsked: boolean): ClusterDocument | undefined {
  const now = timestamp(deps.clock.now())
  const onAzure = before.spec.resourceId !== undefined
  const conditions = found.conditions.reduce<readonly Condition[]>(
    (all, condition: ConditionInput) => setCondition(all, { ...condition, observedGeneration: before.generation }, now),
    before.conditions.filter(({ type }) => onAzure || type !== 'AzureReady'),
  )
  const { dueAt: _due, aks: knownFacts, ...rest } = before
  const aks = onAzure ? (found.aks ?? knownFacts) : undefined
  const recovered = found.reachable && before.attempts > 0
  const same =
    canonicalJson(conditions) === canonicalJson(before.conditions) &&
    canonicalJson(found.mesh ?? before.mesh) === canonicalJson(before.mesh) &&
    canonicalJson(aks) === canonicalJson(knownFacts) &&
    (found.kubernetesVersion ?? before.kubernetesVersion) === before.kubernetesVersion
  if (found.reachable && same && !recovered && before.dueAt === undefined && !isAsked) return undefined
  const attempts = found.reachable ? 0 : before.attempts + 1
  return {
    ...rest,
    ...(found.mesh ? { mesh: found.mesh } : {}),
    ...(aks ? { aks } : {}),
    ...(found.kubernetesVersion === undefined ? {} : { kubernetesVersion: found.kubernetesVersion }),
    conditions,
    attempts,
    observedGeneration: before.generation,
    probedAt: now,
    updatedAt: now,
    ...(found.reachable ? {} : { dueAt: timestamp(deps.clock.now() + backoffMs(attempts, deps.random)) }),
    outbox: [...before.outbox, ...followUps({ ...before, ...(aks ? { aks } : {}) }, conditions, now, recovered)],
  }
}

function followUps(
  before: ClusterDocument,
  conditions: readonly Condition[],
  now: string,
  recovered: boolean,
): ClusterDocument['outbox'] {
  const moved = conditions.filter(
    (after) => before.conditions.find(({ type }) => type === after.type)?.status !== after.status,
  )
  const events = moved.map((condition) => {
    const event = clusterEvent(before.name, 'cluster.condition', {
      id: `${condition.type}.${now}`,
      time: now,
      actor: MESHWRIGHT,
      reason: condition.reason,
      message: `${condition.type} is ${condition.status}: ${condition.message}`,
    })
    return { id: event.id, kind: 'event' as const, event }
  })
  const first = before.observedGeneration < before.generation
  if (!recovered && !first) return events
  const message = { kind: 'resync' as const, cluster: before.name }
  const resync = { id: `resync.${now}`, kind: 'work' as const, queue: 'work' as const, message }
  return [...events, resync, ...watchEntries(before, now)]
}

/** What ends there is in the report within a minute, and not only when the hourly look comes. */
function watchEntries({ name, aks }: ClusterDocument, now: string): ClusterDocument['outbox'] {
  const places: readonly FoundPlace[] = aks?.mesh?.pluginCa ? ['cluster', 'plug-in-ca'] : ['cluster']
  return places.map((place) => {
    const found = foundKey({ place, name })
    const message = { kind: 'watch', found } as const
    return { id: `watch.${place}.${now}`, kind: 'work', queue: watchQueue(found), message }
  })
}

function backoffMs(attempts: number, random: Random): number {
  const most = Math.min(RETRY_MOST_MS, RETRY_LEAST_MS * 2 ** Math.min(attempts - 1, 20))
  return Math.round(most * (0.5 + random.next() / 2))
}
