import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gatewayApi } from '../../../../src/mesh/gateway-api/gateway-api.ts'
import { linkerd } from '../../../../src/mesh/linkerd/linkerd.ts'
import type { RenderInput } from '../../../../src/mesh/provider.ts'
import { fitDraft } from '../../../../src/mesh/read/fit-draft.ts'
import { readService } from '../../../../src/mesh/read/read-service.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { parts } from '../istio/any-policy.ts'
import { inputOf } from '../istio/specs.ts'
import { asForeign, kubeServiceOf, subjectOf } from './foreign.ts'

const GATEWAYS = { external: { namespace: 'gateways', name: 'public' } }
const GATEWAY_MESH = { provider: 'gateway-api', gatewayApi: { bundle: 'v1.5.1', channel: 'standard' } } as const
const LINKERD = { provider: 'linkerd' } as const
type Meshed = typeof gatewayApi | typeof linkerd

const isTcp = (draft: { ports: { protocol: string }[] }) => draft.ports.some(({ protocol }) => protocol === 'tcp')

/** Services with as much of any traffic policy as a mesh of routes renders. */
function renderable(mesh: RenderInput['mesh'], provider: Meshed, more: object): fc.Arbitrary<RenderInput> {
  return fc
    .tuple(
      parts.filter((draft) => !isTcp(draft)),
      fc.nat(100),
    )
    .map(([{ security: _, egress: _e, telemetry: _t, ...draft }, share]) => {
      const weights = { v1: 100 - share, v2: share }
      const ports = mesh === GATEWAY_MESH ? draft.ports.slice(0, 1) : draft.ports
      const { rateLimit: _r, outliers: _o, ...traffic } = draft.traffic ?? {}
      const whole = { ...draft, ports, traffic, workload: { labels: { app: 'web' } }, ...more }
      const input = (spec: RenderInput['spec']) => inputOf({ spec, policy: spec, mesh, gateways: GATEWAYS, weights })
      const fitted = fitDraft(whole, (spec) => provider.render(input(spec)))
      return fitted.ok ? input(fitted.value.spec) : undefined
    })
    .filter((input) => input !== undefined)
}

function read(
  input: RenderInput,
  provider: Meshed,
  change: (objects: readonly KubeObject[]) => readonly KubeObject[] = (all) => all,
) {
  const result = provider.render(input)
  if (!result.ok) throw new Error(result.failure.detail)
  const root = kubeServiceOf(input)
  const all = withAnnotations(result.steps.map(({ object }) => object))
  const services = [root, ...all.filter(({ kind }) => kind === 'Service')]
  const objects = change(all.filter(({ kind }) => kind !== 'Service'))
  const seen = { services, objects, mesh: input.mesh, gateways: GATEWAYS }
  return readService(provider, subjectOf(root), seen, { team: 'shop', clusters: ['east'] })
}

/** As others write them; Linkerd says some things in annotations. */
function withAnnotations(objects: readonly KubeObject[]): readonly KubeObject[] {
  return asForeign(objects).map((object, index) => {
    const own = Object.entries(objects[index]?.metadata.annotations ?? {}).filter(([key]) =>
      key.includes('linkerd.io/'),
    )
    return own.length === 0
      ? object
      : { ...object, metadata: { ...object.metadata, annotations: Object.fromEntries(own) } }
  })
}

const MESHES = [
  [
    'the Gateway API',
    gatewayApi,
    renderable(GATEWAY_MESH, gatewayApi, { exposure: [{ host: 'web.example.com', path: '/shop' }] }),
  ],
  ['Linkerd', linkerd, renderable(LINKERD, linkerd, {})],
] as const

describe.each(MESHES)('routes of %s', (_, provider, inputs) => {
  it('that Meshwright wrote are read as a service with the same effect: nothing is told', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const reading = read(input, provider)
        expect(reading?.findings).toEqual([])
        expect(reading?.spec).toBeDefined()
      }),
      { numRuns: 60 },
    )
  })

  it('with a field that nobody knows are told', () => {
    fc.assert(
      fc.property(inputs, fc.nat(), (input, at) => {
        const reading = read(input, provider, (objects) => {
          const index = at % objects.length
          const route = objects[index] as KubeObject
          const rules = route.spec?.rules as readonly object[]
          const changed = rules.map((rule, which) => (which === at % rules.length ? { ...rule, mystery: 1 } : rule))
          return objects.with(index, { ...route, spec: { ...route.spec, rules: changed } })
        })
        expect(reading?.findings.map(({ code }) => code)).toContain('NotCarried')
      }),
      { numRuns: 60 },
    )
  })
})
