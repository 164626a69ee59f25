import { refusalOn } from '../../mesh/refusal-on.ts'
import type { Condition } from '../../model/condition.ts'
import { canonicalJson } from '../../model/digest.ts'
import type { ClusterDocument, ServiceDocument } from '../../model/documents.ts'
import { unknownNames } from '../../model/policy/cross-checks.ts'
import { mergePolicies } from '../../model/policy/effective-policy.ts'
import { heldOn, type PolicyHolder, wordsOn } from '../../model/policy/service-policy.ts'
import type { HeldWords, ServiceSpread } from '../../model/policy/spread.ts'

/** What a service is to be after a change of its own, before anything is held back. */
export type NextService = Pick<ServiceDocument, 'namespace' | 'name' | 'spec' | 'layers' | 'overridesOn' | 'generation'>

export interface Holding {
  /** Absent: nothing is held back. */
  readonly spread?: ServiceSpread
  readonly warnings: readonly string[]
}

const ALL_AT_ONCE: Holding = { warnings: [] }
/** Characters of words that a document may hold beside its newest: it has 2 MB for everything. */
const MOST_HELD = 400_000

/**
 * Where a change of a service's words has to wait for its wave: on all clusters that it means, if they are several; the first wave is let go
 * when placements have been looked at. Clusters that are new to the service have nothing to hold. `clusters` are those that it is to
 * be on; `now` is RFC 3339. Pure.
 */
export function holdWords(
  before: ServiceDocument | undefined,
  next: NextService,
  clusters: readonly ClusterDocument[],
  now: string,
): Holding {
  if (!before || next.spec.waves === 'off') return ALL_AT_ONCE
  const places = clusters.filter(({ name }) => Object.hasOwn(before.targets, name))
  const { spread, ...newest } = before
  // A PUT of something else lets a change go on its way.
  const continued = places.every((cluster) => sayAlike(newest, next, cluster)) ? spread : undefined
  const moved = places.filter((cluster) => !sayAlike(before, next, cluster))
  if (!continued && moved.length < 2) return ALL_AT_ONCE
  const held = moved.reduce<readonly HeldWords[]>((words, cluster) => withHeld(words, before, cluster), [])
  const holding = { ...(continued ?? begun(next.generation, spread, now)), held }
  const unfit = moved.filter((cluster) => !canStay({ ...next, spread: holding }, cluster))
  if (unfit.length > 0) return { warnings: [unfitWarning(unfit)] }
  if (canonicalJson(held).length > MOST_HELD) return { warnings: [TOO_LONG] }
  return { spread: holding, warnings: [] }
}

function begun(goal: number, spread: ServiceSpread | undefined, now: string): Omit<ServiceSpread, 'held'> {
  const applied: Condition = {
    type: 'Applied',
    status: 'False',
    reason: 'Progressing',
    message: 'The first wave has yet to be let go.',
    lastTransitionTime: now,
    observedGeneration: goal,
  }
  return { goal, ...(spread?.progress ? { progress: spread.progress } : {}), applied, lookAt: now }
}

function sayAlike(one: PolicyHolder, other: PolicyHolder, cluster: ClusterDocument): boolean {
  const [a, b] = [one, other].map((service) => canonicalJson(mergePolicies(wordsOn(service, cluster)).policy))
  return a === b
}

function withHeld(all: readonly HeldWords[], before: ServiceDocument, cluster: ClusterDocument): readonly HeldWords[] {
  const words = wordsOn(before, cluster)
  const generation = heldOn(before, cluster.name)?.generation ?? before.generation
  const same = all.find((one) => one.generation === generation && canonicalJson(one.words) === canonicalJson(words))
  if (!same) return [...all, { generation, clusters: [cluster.name], words }]
  return all.map((one) => (one === same ? { ...one, clusters: [...one.clusters, cluster.name].sort() } : one))
}

/** Do the words that hold there go with what else changes: do versions and ports that they name stay, can the mesh express them? */
function canStay(service: NextService & Pick<ServiceDocument, 'spread'>, cluster: ClusterDocument): boolean {
  const { versions, ports } = service.spec
  const words = heldOn(service, cluster.name)?.words ?? []
  return words.every(({ policy }) => unknownNames(policy, versions, ports).length === 0) && !refusalOn(service, cluster)
}

const TOO_LONG =
  'The change goes to all clusters at once: what the service said before is too long to be kept beside it. Say less, or wait until the change before has reached all clusters.'

function unfitWarning(clusters: readonly ClusterDocument[]): string {
  const names = clusters.map(({ name }) => name).join(', ')
  return `The change goes to all clusters at once: what the service said before on ${names} does not go with the rest of the change. Change one after the other for waves.`
}

/** A change on its way, as far as it means these clusters. */
export function spreadWithin(
  spread: ServiceSpread | undefined,
  clusters: readonly string[],
): Pick<ServiceDocument, 'spread'> {
  if (!spread) return {}
  const held = spread.held.flatMap((words) => {
    const left = words.clusters.filter((cluster) => clusters.includes(cluster))
    return left.length === 0 ? [] : [{ ...words, clusters: left }]
  })
  return { spread: { ...spread, held } }
}
