import { shortId } from '../../model/digest.ts'
import { plainPath } from '../../model/host.ts'
import type { KubeObject, KubeRef } from '../../model/kube.ts'
import type { ExposureSpec } from '../../model/policy/exposure.ts'
import type { RoutedPath } from '../host-renderer.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { bothOf } from './both-of.ts'
import { VIRTUAL_SERVICE } from './names.ts'
import { type NeutralMatch, neutralMatch } from './request-match.ts'
import type { FieldProblem } from './traffic-problems.ts'
import { type Variant, variantsOf } from './variants.ts'
import { gatewayPort, variantRoutes } from './virtual-service.ts'

/** No service and no version is called so: their names have no dot. */
const INFIX = '.exposed.'

/** The delegate VirtualService of a service for a path and a port. Hosts that share both share it. */
export function delegateRef({ namespace, name, path, port }: RoutedPath): KubeRef {
  return { ...VIRTUAL_SERVICE, namespace, name: `${name}${INFIX}${shortId(8, path, port ?? '')}` }
}

export function isDelegate({ kind, name }: Pick<KubeRef, 'kind' | 'name'>): boolean {
  return kind === VIRTUAL_SERVICE.kind && name.includes(INFIX)
}

/**
 * What a gateway does with requests for the service: a VirtualService without hosts for each path, which the host's own names
 * (delegation). It has the routes and weights that callers in the mesh have, so both move together. Istio merges the two by
 * matches and drops, without a word, what reaches further than the host's match: so each route is narrowed to the path here.
 */
export function delegates(input: RenderInput): readonly KubeObject[] {
  const objects = new Map<string, KubeObject>()
  for (const exposure of input.policy.exposure ?? []) {
    const object = delegate(input, exposure)
    if (object) objects.set(object.metadata.name, object)
  }
  return [...objects.values()]
}

function delegate(input: RenderInput, exposure: ExposureSpec): KubeObject | undefined {
  const port = portOf(input, exposure)
  if (!port) return undefined
  const path = plainPath(exposure.path)
  const { namespace, name } = input
  const ref = delegateRef({ namespace, name, path, ...(exposure.port === undefined ? {} : { port: exposure.port }) })
  const to = gatewayPort(input, port)
  const http = variantsOf(input.policy.traffic, port)
    .flatMap((variant) => narrowed(variant, path))
    .flatMap((variant) => variantRoutes(input, to, port, variant))
  return {
    ...VIRTUAL_SERVICE,
    metadata: { ...markedMetadata(input), name: ref.name },
    // The host's VirtualService lies in the gateway's namespace, and a mesh may be set up to share nothing by itself.
    spec: { exportTo: ['*'], http },
  }
}

function portOf({ spec }: RenderInput, { port }: ExposureSpec): RenderInput['spec']['ports'][number] | undefined {
  return port === undefined ? spec.ports[0] : spec.ports.find(({ name }) => name === port)
}

function narrowed(variant: Variant, path: string): readonly Variant[] {
  if (path === '/') return [variant]
  const within: NeutralMatch = { path: { prefix: path } }
  if (!variant.matches) return [{ ...variant, matches: [within] }]
  const matches = variant.matches.flatMap((match) => {
    const both = bothOf(match, within)
    return typeof both === 'string' ? [] : [both]
  })
  return matches.length === 0 ? [] : [{ ...variant, matches }]
}

/** What of an exposure does not go together with the rest of the policy on Istio. */
export function exposureProblems(input: RenderInput): readonly FieldProblem[] {
  return (input.policy.exposure ?? []).flatMap((exposure, index) => {
    const pointer = `/exposure/${index}`
    const port = portOf(input, exposure)
    if (!port) return [{ pointer: `${pointer}/port`, reason: 'must be the name of a port of the service' }]
    if (port.protocol === 'tcp') return [{ pointer, reason: `leads to port ${port.name}, which speaks TCP` }]
    const asked = [
      ...(input.policy.traffic?.routes ?? []).flatMap(({ match }) => match.map(neutralMatch)),
      ...(input.candidate?.match ?? []).map(neutralMatch),
    ]
    const within: NeutralMatch = { path: { prefix: plainPath(exposure.path) } }
    const isUnsayable = plainPath(exposure.path) !== '/' && asked.some((one) => bothOf(one, within) === 'unsayable')
    const reason = 'goes with no pattern of paths in routes or in the match of a rollout: Istio cannot ask for both'
    return isUnsayable ? [{ pointer: `${pointer}/path`, reason }] : []
  })
}
