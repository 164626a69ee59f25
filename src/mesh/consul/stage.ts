import { type KubeObject, refOf } from '../../model/kube.ts'
import type { Barrier, RenderStep } from '../provider.ts'
import { compareSideRoutes, isWhole, ready, risingVersions, type SideChange } from '../staging.ts'
import { isOfKind, ofKind, SERVICE_RESOLVER, SERVICE_ROUTER, SERVICE_SPLITTER } from './names.ts'
import { taken } from './render.ts'
import type { Subsets } from './resolver.ts'
import { sideRoutes, withoutSideRoutes } from './side-routes.ts'
import { splitsOf, splitWeights, type Weights, withSplits, withVersions, withWeights } from './splitter.ts'

/**
 * Make before break, over three objects. Subsets come before the splitter and router that name them and go after them; weights
 * move alone, at once when the live splitter names every version that rises. Side routes that go away do so before all else;
 * only when their version rises, its weight comes before. New ones wait for the splitter that tells clients of them.
 */
export function stageConsul(live: readonly KubeObject[], desired: readonly RenderStep[]): readonly RenderStep[] {
  const resolver = stepOf(desired, SERVICE_RESOLVER)
  const splitter = stepOf(desired, SERVICE_SPLITTER)
  const router = stepOf(desired, SERVICE_ROUTER)
  const liveSplitter = ofKind(live, SERVICE_SPLITTER)
  const before = liveSplitter && splitWeights(liveSplitter)
  const after = splitter && splitWeights(splitter.object)
  if (!resolver || !splitter || !router || !liveSplitter || !before || !after) return desired
  // Not a split of ours: nothing to keep, so it is replaced in one.
  if (!isWhole(before)) return desired

  const liveResolver = ofKind(live, SERVICE_RESOLVER)
  const liveRouter = ofKind(live, SERVICE_ROUTER)
  const rising = risingVersions(before, after)
  const relabelled = relabelledVersions(liveResolver, resolver.object)
  const sides = compareSideRoutes(liveRouter ? sideRoutes(liveRouter) : [], sideRoutes(router.object))
  const direct =
    sides.gained.length === 0 && rising.every((version) => version in before && !relabelled.includes(version))
  const change = { splitter, router, liveSplitter, liveRouter, before, after, rising, sides, direct }
  const now = direct ? after : before
  const served = relabelled.filter((version) => (now[version] ?? 0) > 0 || sides.kept.includes(version))
  const leaving = Object.entries(subsetsOf(liveResolver)).filter(([name]) => !(name in subsetsOf(resolver.object)))
  const inPlace = [taken(refOf(resolver.object))]
  return [
    ...onLiveStructure(change),
    ...desired.filter(
      ({ object }) => ![SERVICE_RESOLVER, SERVICE_SPLITTER, SERVICE_ROUTER].some((kind) => isOfKind(object, kind)),
    ),
    { object: withSubsets(resolver.object, leaving), barriers: [...resolver.barriers, ...ready(served)] },
    ...(direct ? [] : onNewStructure(change, inPlace)),
    { object: splitter.object, barriers: inPlace },
    { object: router.object, barriers: [...inPlace, taken(refOf(splitter.object)), ...ready(sides.gained)] },
    ...(leaving.length === 0 ? [] : [{ object: resolver.object, barriers: releasedBy(change) }]),
  ]
}

interface LiveChange {
  readonly splitter: RenderStep
  readonly router: RenderStep
  readonly liveSplitter: KubeObject
  readonly liveRouter: KubeObject | undefined
  readonly before: Weights
  readonly after: Weights
  readonly rising: readonly string[]
  readonly sides: SideChange
  readonly direct: boolean
}

/** The writes that need nothing new: side routes that go away, and weights when all that rise are in the splitter. */
function onLiveStructure(change: LiveChange): readonly RenderStep[] {
  const { splitter, router, liveSplitter, liveRouter, before, after, rising, sides, direct } = change
  const kept = withSplits(splitter.object, splitsOf(liveSplitter))
  const weights = direct ? [{ object: withWeights(kept, after), barriers: ready(rising) }] : []
  if (!liveRouter || sides.left.length === 0) return weights
  const routes = { ...router.object, spec: { ...router.object.spec, routes: liveRouter.spec?.routes } }
  const bare = withoutSideRoutes(routes, sides.leaving)
  const weightsFirst = direct && sides.left.some((version) => rising.includes(version))
  if (weightsFirst) return [...weights, { object: bare, barriers: [] }]
  return [{ object: bare, barriers: ready(takers(before, sides)) }, ...weights]
}

/** Places in the splitter first, then routes past it, then weights. */
function onNewStructure(change: LiveChange, inPlace: readonly Barrier[]): readonly RenderStep[] {
  const { splitter, router, before, after, rising, sides } = change
  const wide = withVersions(splitter.object, Object.keys(before))
  return [
    { object: withWeights(wide, before), barriers: inPlace },
    ...(sides.gained.length === 0
      ? []
      : [{ object: router.object, barriers: [...inPlace, taken(refOf(splitter.object)), ...ready(sides.gained)] }]),
    { object: withWeights(wide, after), barriers: [...inPlace, taken(refOf(splitter.object)), ...ready(rising)] },
  ]
}

/** Consul refuses to let a subset go that something still names. */
function releasedBy({ splitter, router }: LiveChange): readonly Barrier[] {
  return [taken(refOf(splitter.object)), taken(refOf(router.object))]
}

/** Who gets the requests that a side route gives up. */
function takers(weights: Weights, { left }: SideChange): readonly string[] {
  return Object.keys(weights)
    .filter((version) => (weights[version] ?? 0) > 0 && !left.includes(version))
    .sort()
}

function stepOf(steps: readonly RenderStep[], kind: Parameters<typeof isOfKind>[1]): RenderStep | undefined {
  return steps.find(({ object }) => isOfKind(object, kind))
}

function subsetsOf(resolver: KubeObject | undefined): Subsets {
  return (resolver?.spec?.subsets ?? {}) as Subsets
}

function relabelledVersions(live: KubeObject | undefined, desired: KubeObject): readonly string[] {
  const now = subsetsOf(live)
  return Object.entries(subsetsOf(desired))
    .filter(([name, { filter }]) => now[name] !== undefined && now[name]?.filter !== filter)
    .map(([name]) => name)
}

function withSubsets(resolver: KubeObject, more: readonly (readonly [string, unknown])[]): KubeObject {
  if (more.length === 0) return resolver
  const subsets = Object.fromEntries(
    [...Object.entries(subsetsOf(resolver)), ...more].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  return { ...resolver, spec: { ...resolver.spec, subsets } }
}
