import type { Storage } from '../../../../src/sandbox/emulators/emulator.ts'
import { labelMatcher } from '../../../../src/sandbox/emulators/prometheus/matcher.ts'
import type { Series } from '../../../../src/sandbox/emulators/prometheus/series-source.ts'
import { memoryStorage } from '../../../../src/sandbox/storage.ts'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'
import type { RouteShare } from '../../../../src/sandbox/world/route-source.ts'
import { createWorld, type World, type WorldOptions } from '../../../../src/sandbox/world/world.ts'
import { type ServiceSpec, serviceSpec } from '../../../../src/sandbox/world/world-spec.ts'

export const START_MS = 1_700_000_000_000
export const WEB = { cluster: 'east', namespace: 'shop', service: 'web' }

export interface Fixture {
  readonly world: World
  readonly storage: Storage
  /** Lets time pass. */
  pass(ms: number): void
  now(): number
  /** Changes the route of every service, and tells the world. */
  setRoute(route: readonly RouteShare[] | undefined): void
  /** Growth of istio_requests_total since the beginning, summed over the series with these labels. */
  requests(labels: Readonly<Record<string, string>>): number
  /** All series of a name with these labels, of all times. */
  series(name: string, labels?: Readonly<Record<string, string>>): readonly Series[]
}

export function webSpec(spec: Record<string, unknown> = {}): ServiceSpec {
  return serviceSpec.parse({ versions: { v1: {}, v2: {} }, demand: { requestsPerSecond: 100 }, ...spec })
}

/** A world with cluster east and service shop/web, on a clock of its own. */
export function worldFixture(options: Partial<WorldOptions> = {}, spec: ServiceSpec | undefined = webSpec()): Fixture {
  let nowMs = START_MS
  let route: readonly RouteShare[] | undefined
  const storage = options.storage ?? memoryStorage()
  const random = options.random ?? seededChance(7).next
  const world = createWorld({
    now: () => nowMs,
    random,
    storage,
    routes: { rules: () => route && [{ fits: () => true, shares: route }] },
    ...options,
  })
  if (world.cluster('east') === undefined) {
    world.putCluster('east')
    world.putService(WEB, spec)
  }
  const series: Fixture['series'] = (name, labels = {}) => {
    const matchers = Object.entries(labels).map(([label, value]) => labelMatcher(label, '=', value))
    return world.metrics('east').series([labelMatcher('__name__', '=', name), ...matchers], 0, Number.MAX_SAFE_INTEGER)
  }
  return {
    world,
    storage,
    series,
    pass(ms) {
      nowMs += ms
    },
    now: () => nowMs,
    setRoute(next) {
      route = next
      world.routesChanged('east')
    },
    requests: (labels) =>
      series('istio_requests_total', labels).reduce((sum, { samples }) => sum + lastNumber(samples), 0),
  }
}

function lastNumber(samples: Series['samples']): number {
  return samples.findLast((sample) => sample[1] !== null)?.[1] ?? 0
}

/** A route to the versions v1 and v2 of the fixture's service. */
export function split(v1: number, v2: number): readonly RouteShare[] {
  return [
    { subset: 'v1', weight: v1, labels: { version: 'v1' } },
    { subset: 'v2', weight: v2, labels: { version: 'v2' } },
  ]
}
