import fc from 'fast-check'
import { istio } from '../../../../src/mesh/istio/istio.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import type { RouteMatch } from '../../../../src/model/route-match.ts'
import { type ServiceSpec, serviceSpec } from '../../../../src/model/service.ts'

/** A service spec that the schema takes, from the fields that matter. */
export function specOf(change: Readonly<Record<string, unknown>> = {}): ServiceSpec {
  return serviceSpec.parse({
    team: 'shop',
    ports: [{ name: 'http', port: 80, protocol: 'http' }],
    versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
    initialVersion: 'v1',
    clusters: ['east'],
    ...change,
  })
}

export function inputOf(change: Partial<RenderInput> = {}): RenderInput {
  const { spec = specOf() } = change
  return {
    namespace: 'shop',
    name: 'web',
    spec,
    policy: spec,
    mesh: { provider: 'istio', envoyFilters: true },
    renderRevision: 7,
    weights: { v1: 100 },
    ...change,
  }
}

/** The two objects that Istio gets. */
export function rendered(input: RenderInput): readonly [rule: KubeObject, route: KubeObject] {
  const result = istio.render(input)
  if (!result.ok) throw new Error(result.failure.detail)
  const [rule, route] = result.steps
  if (!rule || !route) throw new Error('two objects are expected')
  return [rule.object, route.object]
}

const duration = fc.constantFrom('1ms', '250ms', '5s', '90s', '1h')
const ports = fc.uniqueArray(
  fc.record({ port: fc.integer({ min: 1, max: 65_535 }), protocol: fc.constantFrom('http', 'http2', 'grpc') }),
  {
    minLength: 1,
    maxLength: 3,
    selector: ({ port }) => port,
  },
)

const textMatch = fc.oneof(
  fc.record({ exact: fc.constantFrom('yes', 'a.b*c') }),
  fc.record({ prefix: fc.constant('b') }),
  fc.record({ regex: fc.constant('[a-z]+') }),
)
const someMatch: fc.Arbitrary<RouteMatch> = fc
  .record(
    {
      headers: fc.dictionary(fc.constantFrom('x-preview', 'x-team'), textMatch, { minKeys: 1 }),
      cookie: fc.oneof(
        fc.record({ name: fc.constantFrom('beta', 'a.b|c') }),
        fc.record({ name: fc.constant('beta'), value: fc.constantFrom('on', '(.*)') }),
      ),
      path: fc.oneof(
        fc.record({ exact: fc.constant('/a') }),
        fc.record({ prefix: fc.constantFrom('/', '/a', '/a/') }),
        fc.record({ regex: fc.constant('/a/[0-9]+') }),
      ),
    },
    { requiredKeys: [] },
  )
  .filter((match) => Object.keys(match).length > 0)
const affinity = fc.record({
  cookie: fc.constantFrom('meshwright-version', '50%'),
  value: fc.constantFrom('shop.web.k3', 'shop.web.k4'),
  maxAgeMs: fc.constantFrom(60_000, 86_400_000),
})
const routes = fc.record(
  { match: fc.array(someMatch, { minLength: 1, maxLength: 3 }), mirror: fc.integer({ min: 1, max: 100 }), affinity },
  { requiredKeys: [] },
)

/** Any service, any split of whole per cents over some of its versions, and anything more for one of these. */
export const anyInput: fc.Arbitrary<RenderInput> = fc
  .tuple(anySplit(), routes, fc.nat(3))
  .map(([input, more, index]) => {
    const names = Object.keys(input.weights)
    const version = names[index % names.length]
    return version === undefined || Object.keys(more).length === 0
      ? input
      : { ...input, candidate: { version, ...more } }
  })
  // Refused: two patterns for one path.
  .filter(({ spec, candidate }) => {
    const isNarrow = spec.exposure?.some(({ path }) => path !== '/')
    return !(isNarrow && candidate?.match?.some(({ path }) => path && 'regex' in path))
  })

function anySplit(): fc.Arbitrary<RenderInput> {
  return fc
    .record({
      versions: fc.dictionary(fc.constantFrom('v1', 'v2', 'v3', 'v4'), fc.constantFrom('x', 'y'), { minKeys: 1 }),
      ports,
      timeout: fc.option(duration, { nil: undefined }),
      retries: fc.option(fc.record({ attempts: fc.nat(10), perTryTimeout: duration }), { nil: undefined }),
      exposure: fc.subarray(['/', '/shop'].map((path) => ({ host: 'web.example.com', path }))),
      hosts: fc.uniqueArray(fc.constantFrom('a.example.com', '*.example.com', 'web.shop.svc.cluster.local')),
      cuts: fc.array(fc.nat(100), { maxLength: 3 }),
      renderRevision: fc.nat(1000),
    })
    .map(({ versions, cuts, renderRevision, timeout, retries, hosts, exposure, ...rest }) => {
      const names = Object.keys(versions)
      const labelled = names.map((name) => [name, { labels: { version: name, track: versions[name] ?? 'x' } }])
      const spec = specOf({
        versions: Object.fromEntries(labelled),
        initialVersion: names[0],
        hosts,
        ...(exposure.length === 0 ? {} : { exposure }),
        ports: rest.ports.map((port, index) => ({ ...port, name: `p${index}` })),
        traffic: { timeout, retries },
      })
      return inputOf({ spec, renderRevision, weights: split(names, cuts) })
    })
}

function split(names: readonly string[], cuts: readonly number[]): Readonly<Record<string, number>> {
  const edges = [0, ...cuts.slice(0, names.length - 1).sort((a, b) => a - b), 100]
  return Object.fromEntries(edges.slice(1).map((edge, index) => [names[index] ?? '', edge - (edges[index] ?? 0)]))
}
