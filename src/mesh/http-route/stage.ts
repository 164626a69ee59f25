import { canonicalJson } from '../../model/digest.ts'
import { type KubeObject, refOf } from '../../model/kube.ts'
import { type SideRoute, sideRoutesBeyond } from '../../model/placement.ts'
import type { Barrier, RenderStep } from '../provider.ts'
import { isWhole, ready, risingVersions } from '../staging.ts'
import { KUBE_SERVICE } from '../version-services.ts'
import { backendsOf, isRoute, SETTLE_MS } from './names.ts'
import {
  routeWeights,
  rulesOf,
  versionsByService,
  type Weights,
  withBackends,
  withVersions,
  withWeights,
} from './rule.ts'
import { sideRoutes, withoutSideRoutes } from './side-routes.ts'

interface Staged {
  /** What needs nothing new. */
  readonly early: readonly RenderStep[]
  readonly late: readonly RenderStep[]
}

/**
 * Make before break, for routes whose backends are a Service a version. First what needs nothing new: side routes that go
 * away, and weights where all versions that rise are in the live route, so that an abort waits for no other change. Then
 * the Services and what else is no route. Then each route's new structure with the live weights, and once it is accepted,
 * the weights alone. `controller`: whose word on routes counts.
 */
export function stageRoutes(
  live: readonly KubeObject[],
  desired: readonly RenderStep[],
  controller?: string,
): readonly RenderStep[] {
  const liveOf = ({ kind, metadata }: KubeObject) =>
    live.find((object) => object.kind === kind && object.metadata.name === metadata.name)
  const routes = desired.filter(({ object }) => isRoute(object))
  const others = desired.filter(({ object }) => !isRoute(object))
  const staged = routes.map((step) => stageRoute(step, liveOf(step.object), controller))
  return [
    ...staged.flatMap(({ early }) => early),
    ...others.map((step) => stageService(step, liveOf(step.object), live)),
    ...staged.flatMap(({ late }) => late),
  ]
}

/** A Service that gets requests selects other Pods only once some that are ready bear the new labels. */
function stageService(step: RenderStep, before: KubeObject | undefined, live: readonly KubeObject[]): RenderStep {
  const { object } = step
  if (object.kind !== KUBE_SERVICE.kind || !before) return step
  if (canonicalJson(before.spec?.selector) === canonicalJson(object.spec?.selector)) return step
  const served = live.filter(isRoute).flatMap((route) => {
    const version = versionsByService(route)?.get(object.metadata.name)
    const isNamed = version !== undefined && (routeWeights(route)?.[version] ?? 0) > 0
    return isNamed || sideRoutes(route).some((side) => side.version === version) ? [version ?? ''] : []
  })
  if (served.length === 0) return step
  return {
    object,
    barriers: [...step.barriers, { kind: 'endpoints-ready', versions: [...new Set(served)], among: 'all' }],
  }
}

function stageRoute(route: RenderStep, live: KubeObject | undefined, controller: string | undefined): Staged {
  const before = live && routeWeights(live)
  const after = routeWeights(route.object)
  if (!live || !before || !after) return { early: [], late: [route] }
  // Not a split of ours (another hand's): nothing to keep, so it is replaced in one.
  const ours = isWhole(before)
  if (!ours) return { early: [], late: [route] }

  const rising = risingVersions(before, after)
  const [now, then] = [sideRoutes(live), sideRoutes(route.object)]
  const gained = sideRoutesBeyond(then, now).map(({ version }) => version)
  const moved = movedVersions(live, route.object)
  const direct = gained.length === 0 && rising.every((version) => version in before && !moved.includes(version))
  const accepted: Barrier = {
    kind: 'accepted',
    object: refOf(route.object),
    durationMs: SETTLE_MS,
    ...(controller === undefined ? {} : { controller }),
  }
  const early = onLiveStructure({ route, live, before, after, rising, now, then, direct, accepted })
  const shown = direct ? after : before
  const wide = withWeights(withVersions(route.object, backendsOf(live) ?? {}), shown)
  const taking = moved.filter((version) => (shown[version] ?? 0) > 0)
  const structure = { object: wide, barriers: [...structureBarriers(route), ...ready([...gained, ...taking])] }
  if (direct) return { early, late: [{ object: route.object, barriers: structure.barriers }] }
  const weights = { object: withWeights(wide, after), barriers: [accepted, ...ready(rising)] }
  return { early, late: [structure, weights, { object: route.object, barriers: [accepted] }] }
}

/** What a render waits for before a route, besides endpoints: those are asked for only of versions that gain. */
function structureBarriers({ barriers }: RenderStep): readonly Barrier[] {
  return barriers.filter(({ kind }) => kind !== 'endpoints-ready')
}

interface LiveChange {
  readonly route: RenderStep
  readonly live: KubeObject
  readonly before: Weights
  readonly after: Weights
  readonly rising: readonly string[]
  readonly now: readonly SideRoute[]
  readonly then: readonly SideRoute[]
  readonly direct: boolean
  readonly accepted: Barrier
}

/** The writes that need nothing new: side routes that go away, and weights when all that rise are in the route. */
function onLiveStructure({
  route,
  live,
  before,
  after,
  rising,
  now,
  then,
  direct,
  accepted,
}: LiveChange): readonly RenderStep[] {
  const leaving = now.filter(
    ({ kind, version }) => !then.some((side) => side.kind === kind && side.version === version),
  )
  const left = [...new Set(leaving.map(({ version }) => version))]
  const spec = { ...route.object.spec, ...liveStructure(live) }
  const kept = withBackends({ ...route.object, spec }, backendsOf(live) ?? {})
  const bare = withoutSideRoutes(kept, leaving)
  const weightsFirst = direct && left.some((version) => rising.includes(version))
  const steps: RenderStep[] = []
  if (left.length > 0 && !weightsFirst) steps.push({ object: bare, barriers: ready(takers(before, leaving)) })
  const moved = withWeights(weightsFirst ? kept : bare, after)
  if (direct) steps.push({ object: moved, barriers: rising.length > 0 ? [accepted, ...ready(rising)] : [] })
  if (weightsFirst) steps.push({ object: withWeights(bare, after), barriers: [] })
  return steps
}

/** Who gets the requests that matches give up. Nobody misses a copy. */
function takers(weights: Weights, leaving: readonly SideRoute[]): readonly string[] {
  const left = leaving.filter(({ kind }) => kind === 'match').map(({ version }) => version)
  if (left.length === 0) return []
  return Object.keys(weights).filter((version) => (weights[version] ?? 0) > 0 && !left.includes(version))
}

/** Versions that another Service stands for now. */
function movedVersions(live: KubeObject, desired: KubeObject): readonly string[] {
  const [before = {}, after = {}] = [backendsOf(live), backendsOf(desired)]
  return Object.keys(after).filter((version) => before[version] !== undefined && before[version] !== after[version])
}

/** The fields of a live route that we write. */
function liveStructure(route: KubeObject): Readonly<Record<string, unknown>> {
  const { parentRefs, hostnames } = route.spec ?? {}
  return { parentRefs, ...(hostnames === undefined ? {} : { hostnames }), rules: rulesOf(route) }
}
