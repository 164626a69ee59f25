import type { Barrier } from '../mesh/provider.ts'
import { describeRef, refOf } from '../model/kube.ts'
import type { InventoryEntry } from '../model/placement.ts'
import { acceptedStop } from './accepted.ts'
import { holds, refKey } from './content.ts'
import { entryFor } from './drift.ts'
import type { Situation, Stop } from './situation.ts'

interface BarrierWalk {
  readonly situation: Situation
  /** What the writes so far change: not settled. */
  readonly changed: ReadonlySet<string>
}

/** Why a step has to wait for what must hold before it; undefined when all of it does. */
export function barrierStop(walk: BarrierWalk, barriers: readonly Barrier[]): Stop | undefined {
  for (const barrier of barriers) {
    const stop = stopOf(walk, barrier)
    if (stop) return stop
  }
  return undefined
}

function stopOf(walk: BarrierWalk, barrier: Barrier): Stop | undefined {
  if (barrier.kind === 'endpoints-ready') return endpointsStop(walk, barrier)
  if (barrier.kind === 'gone') return goneStop(walk, barrier)
  const settling = settledStop(walk, barrier)
  return settling ?? (barrier.kind === 'accepted' ? acceptedStop(walk.situation, barrier, walk.changed) : undefined)
}

/** Until it is removed, what is wanted no longer is removed though not all is written. */
function goneStop({ situation }: BarrierWalk, barrier: Extract<Barrier, { kind: 'gone' }>): Stop | undefined {
  const { now, placement } = situation
  const durationMs = situation.settleMs ?? barrier.durationMs
  const what = describeRef(barrier.object)
  if (entryFor(placement?.objects, barrier.object)) {
    return { reason: 'Settling', message: `${what} has to go first.`, again: now + durationMs, removes: true }
  }
  const until = placement?.removedAt === undefined ? 0 : Date.parse(placement.removedAt) + durationMs
  if (until <= now) return undefined
  return { reason: 'Settling', message: `Proxies are given time to take the removal of ${what}.`, again: until }
}

function settledStop(
  { situation, changed }: BarrierWalk,
  barrier: Pick<Extract<Barrier, { kind: 'settled' }>, 'object' | 'durationMs'>,
): Stop | undefined {
  const { now } = situation
  const durationMs = situation.settleMs ?? barrier.durationMs
  const entry = entryFor(situation.placement?.objects, barrier.object)
  const isNew = !entry || changed.has(refKey(barrier.object)) || wasJustWritten(situation, entry)
  const since = isNew ? now : Date.parse(entry.changedAt)
  if (since + durationMs <= now) return undefined
  const message = `Proxies are given time to take ${describeRef(barrier.object)}.`
  return { reason: 'Settling', message, again: since + durationMs }
}

/**
 * Is the object as we want it, but not the one of the inventory? Then another pass of ours wrote it after our placement was
 * read, and nobody knows yet for how long proxies have had it.
 */
function wasJustWritten({ observed, rendered }: Situation, entry: InventoryEntry): boolean {
  const live = observed.objects.get(refKey(entry))
  const desired = rendered.find(({ object }) => refKey(refOf(object)) === refKey(entry))?.object
  if (!live?.metadata.uid || !desired || !holds(live, desired)) return false
  return live.metadata.uid !== entry.uid || live.metadata.generation !== entry.generation
}

function endpointsStop(
  { situation }: BarrierWalk,
  barrier: Extract<Barrier, { kind: 'endpoints-ready' }>,
): Stop | undefined {
  const { versions, amongAll = versions } = situation.observed
  const ready = barrier.among === 'all' ? amongAll : versions
  const missing = barrier.versions.filter((version) => (ready[version]?.ready ?? 0) < 1)
  if (missing.length === 0) return undefined
  return { reason: 'WaitingForEndpoints', message: endpointsMessage(situation, missing), again: 'poll' }
}

/** Which versions have no ready endpoint, and by which labels their Pods would be known. */
export function endpointsMessage(
  { service, provider }: Pick<Situation, 'service' | 'provider'>,
  versions: readonly string[],
): string {
  const services = provider.versionServices?.(service)
  const parts = versions.map((version) => {
    const spec = service.spec.versions[version]
    const marks = { ...spec?.labels, ...(spec && provider.podAnnotations?.(spec)) }
    const labels = Object.entries(marks).map(([key, value]) => `${key}=${value}`)
    const own = services ? `in Service ${services[version]}, ` : ''
    return `${version} (${own}Pods with ${labels.join(',')})`
  })
  return `Service ${service.name} has no ready endpoint of ${parts.join(', ')}.`
}
