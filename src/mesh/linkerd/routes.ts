import type { KubeObject } from '../../model/kube.ts'
import { durationMs } from '../../model/names.ts'
import type { ServiceSpec } from '../../model/service.ts'
import { draftRules } from '../http-route/build-rules.ts'
import { namedVersions } from '../http-route/input-problem.ts'
import { BACKENDS, backendsText, GRPC_ROUTE, HTTP_ROUTE } from '../http-route/names.ts'
import type { FieldError } from '../http-route/sections.ts'
import { grpcRules, httpRules } from '../http-route/write-rules.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'
import { retryAnnotations } from './retries.ts'

type Port = ServiceSpec['ports'][number]

/** A route on the service's own Service for each of its ports, or what stands in the way. */
export function portRoutes(input: RenderInput): {
  readonly objects: readonly KubeObject[]
  readonly errors: readonly FieldError[]
} {
  const routes = input.spec.ports.map((port) => portRoute(input, port))
  return {
    objects: routes.map(({ object }) => object),
    errors: [...statusErrors(input), ...routes.flatMap(({ errors }) => errors)],
  }
}

function portRoute(
  input: RenderInput,
  port: Port,
): { readonly object: KubeObject; readonly errors: readonly FieldError[] } {
  const isGrpc = port.protocol === 'grpc'
  const drafts = draftRules(input, { port, base: '/', without: [], precedence: 'linkerd', noTimeouts: isGrpc })
  const written = (isGrpc ? grpcRules : httpRules)(drafts.rules)
  const retries = retryAnnotations(input.policy.traffic?.retries, isGrpc)
  const timeout = isGrpc ? input.policy.traffic?.timeout : undefined
  const services = versionServiceNames(input)
  const named = Object.fromEntries(namedVersions(input).map((version) => [version, services[version] ?? '']))
  const metadata = markedMetadata(input)
  const annotations = {
    ...metadata.annotations,
    [BACKENDS]: backendsText(named),
    ...retries.annotations,
    ...(timeout === undefined ? {} : { 'timeout.linkerd.io/request': `${durationMs(timeout)}ms` }),
  }
  const parent = { group: '', kind: 'Service', name: input.name, port: port.port }
  const object: KubeObject = {
    ...(isGrpc ? GRPC_ROUTE : HTTP_ROUTE),
    metadata: { ...metadata, name: `${input.name}.${port.name}`, annotations },
    spec: { parentRefs: [parent], rules: written.rules },
  }
  const errors = [...drafts.errors, ...written.errors, ...retries.errors, ...(isGrpc ? timeoutErrors(input, port) : [])]
  return { object, errors }
}

/** The Gateway API's fields of bundle 1.2 are all that Linkerd reads; a route with others it ignores. */
function statusErrors({ policy }: RenderInput): readonly FieldError[] {
  return (policy.traffic?.routes ?? []).flatMap(({ redirect }, index) =>
    redirect && redirect.status > 302
      ? [{ pointer: `/traffic/routes/${index}/redirect/status`, reason: 'Linkerd redirects with 301 and 302 alone' }]
      : [],
  )
}

function timeoutErrors({ policy }: RenderInput, port: Port): readonly FieldError[] {
  return (policy.traffic?.routes ?? []).flatMap(({ timeout, ports }, index) =>
    timeout === undefined || (ports && !ports.includes(port.name))
      ? []
      : [
          {
            pointer: `/traffic/routes/${index}/timeout`,
            reason: `on port ${port.name} a timeout holds for all gRPC calls`,
          },
        ],
  )
}
