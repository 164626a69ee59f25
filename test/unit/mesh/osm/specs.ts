import fc from 'fast-check'
import { osm } from '../../../../src/mesh/osm/osm.ts'
import type { RenderInput, RenderStep } from '../../../../src/mesh/provider.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { anyInput as anyIstioInput, inputOf as istioInput, specOf as plainSpec } from '../istio/specs.ts'

const version = (name: string) => ({ labels: { version: name }, serviceAccount: `web-${name}` })
export const versions = { v1: version('v1'), v2: version('v2') }

/** A service whose versions get Services that Meshwright makes. */
export function specOf(change: Readonly<Record<string, unknown>> = {}) {
  return plainSpec({ versions, workload: { labels: { app: 'web' } }, ...change })
}

export function inputOf(change: Partial<RenderInput> = {}): RenderInput {
  return istioInput({ spec: specOf(), mesh: { provider: 'osm', permissive: false }, ...change })
}

export function withPolicy(policy: Readonly<Record<string, unknown>>, change: Partial<RenderInput> = {}): RenderInput {
  return inputOf({ spec: specOf(policy), ...change })
}

export function steps(input: RenderInput): readonly RenderStep[] {
  const result = osm.render(input)
  if (!result.ok) throw new Error(`${result.failure.detail} ${JSON.stringify(result.failure.errors)}`)
  return result.steps
}

export function objects(input: RenderInput): readonly KubeObject[] {
  return steps(input).map(({ object }) => object)
}

/** By kind and name. */
export function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`
}

const traffic = fc.record(
  {
    connections: fc.record(
      { maxConnections: fc.constant(9), connectTimeout: fc.constant('250ms') },
      { requiredKeys: [] },
    ),
    rateLimit: fc.record({ requests: fc.constant(10), per: fc.constantFrom('second', 'minute', 'hour') }),
  },
  { requiredKeys: [] },
)
const rule = fc.record(
  {
    serviceAccounts: fc.constantFrom(['shop/a'], ['shop/a', 'other/b']),
    paths: fc.constantFrom(['/a'], ['/a/*', '/b']),
  },
  { requiredKeys: ['serviceAccounts'] },
)

/** Any service that Open Service Mesh takes, and any split over some of its versions. */
export const anyInput: fc.Arbitrary<RenderInput> = fc
  .record({
    input: anyIstioInput,
    traffic,
    allow: fc.option(fc.array(rule, { maxLength: 2 }), { nil: undefined }),
    own: fc.boolean(),
  })
  .map(({ input, traffic, allow, own }) => {
    const { initialVersion } = input.spec
    const names = Object.keys(input.spec.versions)
    const spec = specOf({
      initialVersion,
      versions: Object.fromEntries(
        names.map((name) => [name, { ...version(name), ...(own && name === 'v1' ? { service: 'web-old' } : {}) }]),
      ),
      traffic,
      ...(allow
        ? { security: { authorization: { allow: allow.map((one, index) => ({ name: `r${index}`, ...one })) } } }
        : {}),
    })
    const { candidate: _, ...rest } = input
    return { ...rest, spec, policy: spec, mesh: { provider: 'osm' as const, permissive: false } }
  })
