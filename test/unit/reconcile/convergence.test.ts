import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { istio } from '../../../src/mesh/istio/istio.ts'
import { timestamp } from '../../../src/model/names.ts'
import type { CandidateTraffic } from '../../../src/model/step.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { holds } from '../../../src/reconcile/content.ts'
import { prepare } from '../../../src/reconcile/gather.ts'
import { resyncCluster } from '../../../src/reconcile/resync-cluster.ts'
import { clusterDocument, World } from './world.ts'

class Crash extends Error {}

/** What people, other tools, failures and time do between passes. */
type Action =
  | { readonly do: 'reconcile' }
  | { readonly do: 'wait'; readonly seconds: number }
  | {
      readonly do: 'roll'
      readonly phase: 'preflight' | 'progressing' | 'rolling-back' | 'baking'
      readonly weight: number
      readonly more: Omit<CandidateTraffic, 'weight'>
      readonly sticky: boolean
    }
  | { readonly do: 'end'; readonly stable: 'v1' | 'v2' }
  | { readonly do: 'put'; readonly versions: readonly string[]; readonly timeout: string; readonly label: string }
  | { readonly do: 'pods'; readonly v1: number; readonly v2: number }
  | { readonly do: 'edit'; readonly v2: number }
  | { readonly do: 'remove'; readonly kind: 'VirtualService' | 'DestinationRule' }
  | { readonly do: 'hold'; readonly on: boolean }
  | { readonly do: 'fail'; readonly how: 'crash' | 'lost' | 'before' | 'race' | 'store'; readonly at: number }

const action: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('reconcile' as const) }), weight: 8 },
  { arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 6, 700) }), weight: 4 },
  {
    arbitrary: fc.record({
      do: fc.constant('roll' as const),
      phase: fc.constantFrom('preflight', 'progressing', 'rolling-back', 'baking'),
      weight: fc.constantFrom(0, 5, 50, 100),
      more: fc.constantFrom({}, {}, { match: [{ path: { prefix: '/a' } }] }, { mirror: 20 }),
      sticky: fc.boolean(),
    }),
    weight: 5,
  },
  fc.record({ do: fc.constant('end' as const), stable: fc.constantFrom('v1', 'v2') }),
  fc.record({
    do: fc.constant('put' as const),
    versions: fc.constantFrom(['v1', 'v2'], ['v1', 'v2', 'v3']),
    timeout: fc.constantFrom('1s', '2s'),
    label: fc.constantFrom('version', 'track'),
  }),
  fc.record({ do: fc.constant('pods' as const), v1: fc.nat(2), v2: fc.nat(2) }),
  fc.record({ do: fc.constant('edit' as const), v2: fc.nat(100) }),
  fc.record({ do: fc.constant('remove' as const), kind: fc.constantFrom('VirtualService', 'DestinationRule') }),
  fc.record({ do: fc.constant('hold' as const), on: fc.boolean() }),
  fc.record({
    do: fc.constant('fail' as const),
    how: fc.constantFrom('crash', 'lost', 'before', 'race', 'store'),
    at: fc.nat(4),
  }),
)

describe('whatever happens in between', () => {
  it('weights stay whole, no version without endpoints rises, nothing dangles; and in the end all is as wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
        const world = watched()
        for (const action of actions) await perform(world, action)
        await expectQuiet(world)
      }),
      { numRuns: 150 },
    )
  })
})

/** A world in which every write of ours is checked when it takes effect. */
function watched(): World {
  const world = new World()
  let before: Before = { weights: {}, sideRoutes: [] }
  world.cluster.before = () => {
    before = { weights: world.weights ?? {}, sideRoutes: world.sideRoutes }
  }
  world.cluster.afterWrite = (request) => checkRoutes(world, request, before)
  return world
}

interface Before {
  readonly weights: Readonly<Record<string, number>>
  readonly sideRoutes: readonly string[]
}

function checkRoutes(world: World, request: string, { weights: before, sideRoutes }: Before): void {
  const after = world.weights
  if (!after) return
  if (request === 'apply VirtualService')
    expect(Object.values(after).reduce((sum, weight) => sum + weight, 0)).toBe(100)
  const rule = world.cluster.peek('DestinationRule', 'web')
  const subsets = ((rule?.spec?.subsets ?? []) as { name: string }[]).map(({ name }) => name)
  // Another hand may have removed the rule: then the route stays as it was until the rule is back.
  if (rule) expect(subsets).toEqual(expect.arrayContaining(Object.keys(after)))
  for (const version of Object.keys(after)) {
    if ((after[version] ?? 0) > (before[version] ?? 0))
      expect(podsOf(world, version), `${version} rises`).toBeGreaterThan(0)
  }
  for (const route of world.sideRoutes.filter((route) => !sideRoutes.includes(route))) {
    const [, version = ''] = route.split(' ')
    expect(podsOf(world, version), route).toBeGreaterThan(0)
    // A pass that has something new to write reads no rule that it left as it is: resync finds that another hand took it.
    if (rule) expect(subsets).toContain(version)
  }
}

function podsOf(world: World, version: string): number {
  return [...world.cluster.objects.values()].filter(
    ({ kind, metadata }) => kind === 'Pod' && metadata.labels?.version === version,
  ).length
}

async function perform(world: World, action: Action): Promise<void> {
  switch (action.do) {
    case 'reconcile':
      return pass(world)
    case 'wait':
      world.clock.at += action.seconds * 1000
      return
    case 'roll':
      return world.traffic(
        action.phase,
        { weight: action.weight, ...action.more },
        action.sticky ? { cookie: 'c', maxAgeMs: 60_000 } : undefined,
      )
    case 'end':
      return world.service(({ renderRevision }) => ({
        rollouts: [],
        targets: { east: { stable: action.stable } },
        renderRevision: renderRevision + 1,
      }))
    case 'put':
      return world.spec({
        versions: Object.fromEntries(
          action.versions.map((name) => [
            name,
            { labels: { version: name, ...(action.label === 'track' ? { track: 'x' } : {}) } },
          ]),
        ),
        traffic: { timeout: action.timeout },
      })
    case 'pods':
      return world.setPods({ v1: action.v1, v2: action.v2 })
    case 'edit':
      if (world.weights) world.moveWeights('kubectl-edit', { v1: 100 - action.v2, v2: action.v2 })
      return
    case 'remove':
      world.cluster.objects.delete(`networking.istio.io/v1/${action.kind}/shop/web`)
      return
    case 'hold':
      return world.annotate('Namespace', 'shop', { 'meshwright.io/hold': String(action.on) })
    case 'fail':
      return failingPass(world, action)
  }
}

async function pass(world: World): Promise<void> {
  try {
    await world.reconcile()
  } catch (error) {
    if (!(error instanceof Crash) && !(error instanceof PortError)) throw error
  }
}

/** One pass in which request number `at` goes wrong. */
async function failingPass(world: World, { how, at }: Extract<Action, { do: 'fail' }>): Promise<void> {
  const { before, afterWrite } = world.cluster
  let count = 0
  const due = () => count++ === at
  if (how === 'crash' || how === 'lost') {
    world.cluster.afterWrite = (request) => {
      afterWrite(request)
      if (!due()) return
      throw how === 'crash' ? new Crash() : new PortError('unavailable', 'Kubernetes', 'the answer was lost')
    }
  } else if (how === 'store') {
    world.store.beforeWrite = () => {
      if (due()) throw new PortError('unavailable', 'store', 'no answer')
    }
  } else {
    world.cluster.before = (request, ref) => {
      before(request, ref)
      if (how === 'before' && due()) throw new PortError('unavailable', 'Kubernetes', 'no answer')
      if (how === 'race' && request === 'apply VirtualService' && world.weights && due()) {
        world.annotate('VirtualService', 'web', { touched: String(world.clock.at) })
      }
    }
  }
  await pass(world)
  world.cluster.before = before
  world.cluster.afterWrite = afterWrite
  world.store.beforeWrite = () => undefined
}

/** Everything that stood in the way ends; then all comes to what is wanted, and stays. */
async function expectQuiet(world: World): Promise<void> {
  world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'false' })
  world.setPods({ v1: 1, v2: 1 })
  world.service(({ renderRevision }) => ({ rollouts: [], renderRevision: renderRevision + 1 }))
  world.clock.at += 1000
  await world.settle(60)
  // Drift in what a pass need not read is resync's to find.
  await resyncCluster(world.deps, 'east')
  const outcome = await world.settle(60)
  expect(outcome).toMatchObject({ state: 'live' })
  expect(outcome.again).toBeUndefined()
  const service = world.store.peek('service', 'shop/web')
  if (!service) throw new Error('no service')
  const prepared = prepare(service, clusterDocument())
  if (!prepared.ok) throw new Error(prepared.stop.message)
  for (const { object } of prepared.value.rendered) {
    const live = world.cluster.peek(object.kind, 'web')
    expect(live && holds(live, object), `${object.kind} is as rendered`).toBe(true)
  }
  expect(world.placement).toMatchObject({
    liveRevision: service.renderRevision,
    observedGeneration: service.generation,
  })
  const { placement } = world
  const { writes } = world.store
  world.cluster.forget()
  world.clock.at += 3_600_000
  await world.reconcile()
  await world.reconcile()
  expect(world.placement).toEqual(placement)
  expect(world.store.writes).toBe(writes)
  expect(world.cluster.forget().filter((request) => request.startsWith('apply'))).toEqual([])
  expect(timestamp(world.clock.at) > (placement.liveAt ?? '')).toBe(true)
  expect(istio.liveWeights(world.cluster.peek('VirtualService', 'web') ?? (placement as never))).toEqual(
    placement.weights,
  )
}
