import { canonicalJson } from '../model/digest.ts'
import { type ClusterDocument, keyOf, type PolicyDocument, type ServiceDocument } from '../model/documents.ts'
import { type Result, succeed } from '../model/failure.ts'
import { MESHWRIGHT } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { layersOnNew } from '../model/policy/layers.ts'
import { hostWork, reconcileWork, serviceEvent } from '../model/service-event.ts'
import { type Change, changeDocument } from '../ports/change-document.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import { fieldsOf } from './check-policies.ts'
import { allClusters } from './check-references.ts'
import { chooseClusters, retarget } from './choose-clusters.ts'
import { spreadWithin } from './words/hold-words.ts'

/**
 * After a cluster came, went or changed its labels: gives each service that chooses by label its clusters anew, and each whose overrides
 * are chosen by label those that hold now. On clusters that are new to it, a service takes the policies that hold there. A cluster is not taken away from under a live rollout: the rollout's end asks again. One that goes back needs it no more.
 * The failure is a lost race on one of the services; the others are done.
 */
export async function selectClusters(deps: {
  readonly store: Store
  readonly clock: Clock
}): Promise<Result<undefined>> {
  const [clusters, policies] = await Promise.all([allClusters(deps.store), deps.store.all('policy')])
  let result: Result<undefined> = succeed(undefined)
  let after: string | undefined
  do {
    const page = await deps.store.list('service', { limit: 200, ...(after === undefined ? {} : { after }) })
    for (const { value: service } of page.value) {
      if (followsLabels(service)) {
        const changed = await changeDocument(deps.store, 'service', keyOf(service), (stored) =>
          reselect(stored?.value, { clusters, policies }, timestamp(deps.clock.now())),
        )
        if (!changed.ok) result = changed
      }
    }
    after = page.next
  } while (after !== undefined)
  return result
}

function followsLabels({ spec, overridesOn }: ServiceDocument): boolean {
  const byLabel = (spec.overrides ?? []).some(({ clusters }) => !Array.isArray(clusters))
  return !Array.isArray(spec.clusters) || byLabel || overridesOn !== undefined
}

interface Known {
  readonly clusters: readonly ClusterDocument[]
  readonly policies: readonly PolicyDocument[]
}

function reselect(
  before: ServiceDocument | undefined,
  known: Known,
  now: string,
): Result<Change<ServiceDocument, undefined>> {
  if (!before || before.deletingAt || !followsLabels(before)) return succeed({ kind: 'leave', value: undefined })
  const places = placesOf(before, known)
  const moved = Object.keys(places.targets).sort().join() !== Object.keys(before.targets).sort().join()
  const same = !moved && places.leaving.join() === before.leaving.join()
  const overridden = canonicalJson(places.overridesOn) !== canonicalJson(before.overridesOn)
  if (same && !overridden) return succeed({ kind: 'leave', value: undefined })
  const key = keyOf(before)
  const { targets, leaving } = places
  const renderRevision = before.renderRevision + 1
  const words = { id: String(renderRevision), time: now, actor: MESHWRIGHT, reason: 'LabelsMatched' }
  const event = same
    ? serviceEvent(key, 'service.overrides', { ...words, message: `Other overrides of service ${key} hold now.` })
    : serviceEvent(key, 'service.clusters', {
        ...words,
        message: `Service ${key} is now on: ${Object.keys(targets).join(', ') || 'no cluster'}.`,
      })
  const outbox = [
    ...before.outbox,
    event,
    ...reconcileWork(key, [...Object.keys(targets), ...leaving], renderRevision),
    ...hostWork(key, [before.spec], renderRevision),
  ]
  const { layers: _l, overridesOn: _o, spread, ...kept } = before
  return succeed({
    kind: 'write',
    document: {
      ...kept,
      ...places,
      ...spreadWithin(spread, Object.keys(targets)),
      renderRevision,
      updatedAt: now,
      outbox,
    },
    value: undefined,
  })
}

/** Where a service is to be, and what it carries there. */
function placesOf(
  before: ServiceDocument,
  { clusters, policies }: Known,
): Pick<ServiceDocument, 'targets' | 'leaving' | 'layers' | 'overridesOn'> {
  const held = before.rollouts
    .filter(({ phase }) => phase !== 'rolling-back')
    .flatMap(({ targets }) => targets.map(({ cluster }) => cluster))
  const chosen = Array.isArray(before.spec.clusters)
    ? Object.keys(before.targets)
    : [...new Set([...chooseClusters(before.spec, clusters), ...held])].sort()
  const places = clusters.filter(({ name }) => chosen.includes(name))
  const layers = layersOnNew(before, before, places, policies)
  return { ...retarget(before, chosen, before.spec.initialVersion), ...fieldsOf(layers, before, places) }
}
