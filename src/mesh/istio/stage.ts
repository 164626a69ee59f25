import type { KubeObject } from '../../model/kube.ts'
import { refOf } from '../../model/kube.ts'
import type { Barrier, RenderStep } from '../provider.ts'
import { compareSideRoutes, isWhole, ready, risingVersions, type SideChange } from '../staging.ts'
import { DESTINATION_RULE, SETTLE_MS, VIRTUAL_SERVICE } from './names.ts'
import { inPeerOrder } from './policy-steps.ts'
import { httpRoutes, routesOf, routeWeights, tcpRoutes, type Weights, withVersions, withWeights } from './route.ts'
import { sideRoutes, withoutSideRoutes } from './side-routes.ts'

interface Subset {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
}

/**
 * Make before break. Subsets come before the routes that name them and go after them; weights move alone. When the live
 * route already names every version that rises, its weights and the fence move first, on the live structure: so an abort
 * waits for no other change. Else the new structure comes first, with the live weights. Side routes that go away do so
 * before all else; only when their version rises, its weight comes before, so that it loses no client on the way. The route
 * of the mesh and those of gateways move in one go.
 */
export function stageIstio(live: readonly KubeObject[], desired: readonly RenderStep[]): readonly RenderStep[] {
  const { early, rule, late, routes } = partsOf(inPeerOrder(live, desired))
  const liveRule = rule && sameObject(live, rule.object)
  const relabelled = rule ? relabelledVersions(liveRule, rule.object) : []
  const changes = routes.map((route) => changeOf(route, live, relabelled))
  if (!rule || changes.every((change) => change === undefined)) return [...early, ...optional(rule), ...late, ...routes]

  const leaving = subsetsOf(liveRule).filter(({ name }) => !has(rule.object, name))
  const settled: Barrier = { kind: 'settled', object: refOf(rule.object), durationMs: SETTLE_MS }
  const served = relabelled.filter((version) => changes.some((change) => change && serves(change, version)))
  // Who may call waits for no endpoint, unless weights do that move first.
  const structure = { object: withSubsets(rule.object, leaving), barriers: ready(served) }
  const steps = [
    ...changes.flatMap((change) => (change?.ours ? onLiveStructure(change) : [])),
    ...early,
    ...(served.length > 0 ? [...late, structure] : [structure, ...late]),
    ...routes.flatMap((route, index) => toNewStructure(route, changes[index], settled)),
  ]
  if (leaving.length === 0) return steps
  const gone = routes.map(({ object }): Barrier => ({ kind: 'settled', object: refOf(object), durationMs: SETTLE_MS }))
  return [...steps, { object: rule.object, barriers: gone }]
}

/** How a route of ours differs from what is live; undefined when nothing of it is. */
function changeOf(
  route: RenderStep,
  live: readonly KubeObject[],
  relabelled: readonly string[],
): LiveChange | undefined {
  const liveRoute = sameObject(live, route.object)
  const before = liveRoute && routeWeights(liveRoute)
  const after = routeWeights(route.object)
  if (!liveRoute || !before || !after) return undefined
  const rising = risingVersions(before, after)
  const sides = compareSideRoutes(sideRoutes(liveRoute), sideRoutes(route.object))
  // Not a split of ours (another hand's, or ports that differ): nothing to keep, so it is replaced in one.
  const ours = isWhole(before)
  const direct =
    ours && sides.gained.length === 0 && rising.every((version) => version in before && !relabelled.includes(version))
  return { route, liveRoute, before, after, rising, sides, ours, direct }
}

function serves({ direct, before, after, sides }: LiveChange, version: string): boolean {
  const now = direct ? after : before
  return (now[version] ?? 0) > 0 || sides.kept.includes(version)
}

/** The writes of a route once all subsets that it names are there. */
function toNewStructure(route: RenderStep, change: LiveChange | undefined, settled: Barrier): readonly RenderStep[] {
  if (!change?.ours) return [route]
  const last = { object: route.object, barriers: [settled] }
  if (change.direct) return [last]
  const { before, after, sides, rising } = change
  const wide = withVersions(route.object, Object.keys(before))
  return [
    { object: withWeights(wide, before), barriers: [settled, ...ready(sides.gained)] },
    { object: withWeights(wide, after), barriers: [settled, ...ready(rising)] },
    last,
  ]
}

interface LiveChange {
  readonly route: RenderStep
  readonly liveRoute: KubeObject
  readonly before: Weights
  readonly after: Weights
  readonly rising: readonly string[]
  readonly sides: SideChange
  readonly ours: boolean
  /** The live structure has all that rises. */
  readonly direct: boolean
}

/** The writes that need nothing new: side routes that go away, and weights when all that rise are in the route. */
function onLiveStructure(change: LiveChange): readonly RenderStep[] {
  const { route, liveRoute, before, after, rising, sides, direct } = change
  const kept = { ...route.object, spec: liveStructure(liveRoute, route.object) }
  const bare = withoutSideRoutes(kept, sides.leaving)
  const weightsFirst = direct && sides.left.some((version) => rising.includes(version))
  const steps: RenderStep[] = []
  if (sides.left.length > 0 && !weightsFirst) steps.push({ object: bare, barriers: ready(takers(before, sides)) })
  if (direct) steps.push({ object: withWeights(weightsFirst ? kept : bare, after), barriers: ready(rising) })
  if (weightsFirst) steps.push({ object: withWeights(bare, after), barriers: [] })
  return steps
}

/** Who gets the requests that a side route gives up. Nobody misses a copy. */
function takers(weights: Weights, { leaving, left }: SideChange): readonly string[] {
  if (!leaving.has('match') && !leaving.has('affinity')) return []
  return Object.keys(weights)
    .filter((version) => (weights[version] ?? 0) > 0 && !left.includes(version))
    .sort()
}

/** A render in its parts: what comes before the rule of the versions, and between that and the routes. */
function partsOf(steps: readonly RenderStep[]) {
  const routes = steps.filter(({ object }) => object.kind === VIRTUAL_SERVICE.kind)
  // The first is the mesh's, and has the name of the service.
  const isRule = ({ kind, metadata }: KubeObject) =>
    kind === DESTINATION_RULE.kind && metadata.name === routes[0]?.object.metadata.name
  const at = steps.findIndex(({ object }) => isRule(object))
  const others = (part: readonly RenderStep[]) => part.filter((step) => !routes.includes(step))
  return { early: others(steps.slice(0, Math.max(0, at))), rule: steps[at], late: others(steps.slice(at + 1)), routes }
}

function optional(step: RenderStep | undefined): readonly RenderStep[] {
  return step ? [step] : []
}

function sameObject(live: readonly KubeObject[], { kind, metadata }: KubeObject): KubeObject | undefined {
  return live.find((object) => object.kind === kind && object.metadata.name === metadata.name)
}

function relabelledVersions(live: KubeObject | undefined, desired: KubeObject): readonly string[] {
  const now = new Map(subsetsOf(live).map(({ name, labels }) => [name, labels]))
  return subsetsOf(desired)
    .filter(({ name, labels }) => now.has(name) && !sameLabels(now.get(name), labels))
    .map(({ name }) => name)
}

function sameLabels(a: Subset['labels'] = {}, b: Subset['labels'] = {}): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value)
}

function subsetsOf(rule: KubeObject | undefined): readonly Subset[] {
  const subsets = rule?.spec?.subsets
  return Array.isArray(subsets) ? (subsets as Subset[]) : []
}

function has(rule: KubeObject, version: string): boolean {
  return subsetsOf(rule).some(({ name }) => name === version)
}

function withSubsets(rule: KubeObject, more: readonly Subset[]): KubeObject {
  if (more.length === 0) return rule
  const subsets = [...subsetsOf(rule), ...more].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...rule, spec: { ...rule.spec, subsets } }
}

/** The fields of a live VirtualService that we write; a delegate has no hosts. */
function liveStructure(live: KubeObject, desired: KubeObject): Readonly<Record<string, unknown>> {
  const { http: _, tcp: __, ...rest } = desired.spec ?? {}
  const fields = Object.keys(rest).map((field) => [field, live.spec?.[field]])
  return { ...Object.fromEntries(fields), ...routesOf(httpRoutes(live), tcpRoutes(live)) }
}
