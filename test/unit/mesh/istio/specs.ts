import fc from 'fast-check'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
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
  return {
    namespace: 'shop',
    name: 'web',
    spec: specOf(),
    mesh: { provider: 'istio' },
    renderRevision: 7,
    weights: { v1: 100 },
    ...change,
  }
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

/** Any service and any split of whole per cents over some of its versions. */
export const anyInput: fc.Arbitrary<RenderInput> = fc
  .record({
    versions: fc.dictionary(fc.constantFrom('v1', 'v2', 'v3', 'v4'), fc.constantFrom('x', 'y'), { minKeys: 1 }),
    ports,
    timeout: fc.option(duration, { nil: undefined }),
    retries: fc.option(fc.record({ attempts: fc.nat(10), perTryTimeout: duration }), { nil: undefined }),
    hosts: fc.uniqueArray(fc.constantFrom('a.example.com', '*.example.com', 'web.shop.svc.cluster.local')),
    cuts: fc.array(fc.nat(100), { maxLength: 3 }),
    renderRevision: fc.nat(1000),
  })
  .map(({ versions, cuts, renderRevision, timeout, retries, hosts, ...rest }) => {
    const names = Object.keys(versions)
    const labelled = names.map((name) => [name, { labels: { version: name, track: versions[name] ?? 'x' } }])
    const spec = specOf({
      versions: Object.fromEntries(labelled),
      initialVersion: names[0],
      hosts,
      ports: rest.ports.map((port, index) => ({ ...port, name: `p${index}` })),
      traffic: { timeout, retries },
    })
    return inputOf({ spec, renderRevision, weights: split(names, cuts) })
  })

function split(names: readonly string[], cuts: readonly number[]): Readonly<Record<string, number>> {
  const edges = [0, ...cuts.slice(0, names.length - 1).sort((a, b) => a - b), 100]
  return Object.fromEntries(edges.slice(1).map((edge, index) => [names[index] ?? '', edge - (edges[index] ?? 0)]))
}
