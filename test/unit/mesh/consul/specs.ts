import fc from 'fast-check'
import { consul } from '../../../../src/mesh/consul/consul.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { anyInput as anyIstioInput, inputOf as istioInput, specOf } from '../istio/specs.ts'

export { specOf }

export function inputOf(change: Partial<RenderInput> = {}): RenderInput {
  return istioInput({ mesh: { provider: 'consul' }, ...change })
}

/** An input that asks for a policy on top of the plain service. */
export function withPolicy(policy: Readonly<Record<string, unknown>>, change: Partial<RenderInput> = {}): RenderInput {
  return inputOf({ spec: specOf(policy), ...change })
}

export function steps(input: RenderInput): readonly RenderStep[] {
  const result = consul.render(input)
  if (!result.ok) throw new Error(`${result.failure.detail} ${JSON.stringify(result.failure.errors)}`)
  return result.steps
}

export function objects(input: RenderInput): readonly KubeObject[] {
  return steps(input).map(({ object }) => object)
}

/** The specs of what is rendered, by kind. */
export function specs(input: RenderInput): Readonly<Record<string, unknown>> {
  return Object.fromEntries(objects(input).map(({ kind, spec }) => [kind, spec]))
}

const settings = fc.record(
  {
    timeout: fc.constantFrom('250ms', '5s'),
    retries: fc.record({ attempts: fc.nat(3), nonIdempotent: fc.boolean() }, { requiredKeys: ['attempts'] }),
  },
  { requiredKeys: [] },
)
const path = fc.oneof(
  fc.record({ exact: fc.constantFrom('/a', '/a/b') }),
  fc.record({ prefix: fc.constantFrom('/', '/a', '/a/b/') }),
)
const route = fc
  .tuple(
    fc.array(fc.record({ path, methods: fc.constant(['GET', 'POST']) }, { requiredKeys: ['path'] }), {
      minLength: 1,
      maxLength: 2,
    }),
    settings,
    fc.option(fc.constantFrom({ path: '/' }, { path: '/b' }), { nil: undefined }),
  )
  .map(([match, more, rewrite]) => ({ match, ...more, ...(rewrite ? { rewrite } : {}) }))
const rule = fc.record(
  {
    serviceAccounts: fc.uniqueArray(fc.constantFrom('shop/a', 'shop/b', 'shop/c'), { minLength: 1 }),
    methods: fc.constantFrom(['GET'], ['GET', 'POST']),
    paths: fc.constantFrom(['/a'], ['/a/*', '/b']),
  },
  { requiredKeys: [] },
)
const rules = fc.array(rule, { maxLength: 3 }).map((all) => all.map((one, index) => ({ name: `r${index}`, ...one })))

/** Any service that Consul takes, any split over some of its versions, and anything more for one of these. */
export const anyInput: fc.Arbitrary<RenderInput> = fc
  .record({
    input: anyIstioInput,
    traffic: settings,
    routes: fc.array(route, { maxLength: 3 }),
    authorization: fc.option(fc.record({ allow: rules, deny: rules }, { requiredKeys: [] }), { nil: undefined }),
    protocol: fc.constantFrom('http', 'http2', 'grpc'),
  })
  .map(({ input, traffic, routes, authorization, protocol }) => {
    const { initialVersion, versions } = input.spec
    const named = routes.map((one, index) => ({ name: `r${index}`, ...one }))
    const spec = specOf({
      initialVersion,
      versions: Object.fromEntries(Object.keys(versions).map((name) => [name, { labels: { version: name } }])),
      ports: [{ name: 'http', port: 80, protocol }],
      traffic: { ...traffic, routes: named },
      ...(authorization ? { security: { authorization } } : {}),
    })
    const { mirror: _, ...candidate } = input.candidate ?? { version: '' }
    const { candidate: __, ...rest } = input
    const more = Object.keys(candidate).length > 1 ? { candidate } : {}
    return { ...rest, ...more, spec, policy: spec, mesh: { provider: 'consul' as const } }
  })
  // Two patterns for one path are refused; what else is asked for must be taken.
  .filter(({ candidate }) => !candidate?.match?.some(({ path }) => path && 'regex' in path))
