import type { Failure } from '../../model/failure.ts'
import { type KubeObject, refOf } from '../../model/kube.ts'
import { refusalOf } from '../capabilities.ts'
import { never } from '../capability.ts'
import { draftRules } from '../http-route/build-rules.ts'
import { combination, inputProblem, namedVersions, servedVersions } from '../http-route/input-problem.ts'
import { BACKENDS, backendsText, GATEWAY_GROUP, GRPC_ROUTE, HTTP_ROUTE, SETTLE_MS } from '../http-route/names.ts'
import type { Rule } from '../http-route/rule.ts'
import type { FieldError } from '../http-route/sections.ts'
import { grpcRules, httpRules } from '../http-route/write-rules.ts'
import { markedMetadata } from '../marks.ts'
import { policyProblem } from '../policy-problem.ts'
import type { Barrier, RenderInput, RenderResult } from '../provider.ts'
import { isOlder } from '../version.ts'
import { versionServiceNames, versionServices, versionServicesProblem } from '../version-services.ts'
import { type ExposedHost, exposedHosts } from './exposed.ts'

/** A Service a version, then a route for each host that the service is exposed under at a Gateway. */
export function renderGatewayApi(input: RenderInput): RenderResult {
  const failure =
    policyProblem(input) ??
    refusalOf('gateway-api', input.spec, input.policy, input.mesh) ??
    inputProblem(input) ??
    versionServicesProblem(input)
  if (failure) return { ok: false, failure }
  const { hosts, errors } = exposedHosts(input)
  if (hosts.length === 0 && errors.length === 0) return { ok: false, failure: unexposed() }
  const routes = hosts.map((host) => ({ host, ...hostRules(input, host) }))
  const all = [...errors, ...statusErrors(input), ...routes.flatMap((route) => route.errors)]
  if (all.length > 0) return { ok: false, failure: combination('The Gateway API cannot express this.', all) }

  const services = versionServices(input)
  const settled = services.map((object): Barrier => ({ kind: 'settled', object: refOf(object), durationMs: SETTLE_MS }))
  const ready: Barrier = { kind: 'endpoints-ready', versions: servedVersions(input) }
  const objects = routes.map(({ host, rules }) => routeObject(input, host, rules))
  return {
    ok: true,
    steps: [
      ...services.map((object) => ({ object, barriers: [] })),
      ...objects.map((object) => ({ object, barriers: [...settled, ready] })),
    ],
    live: objects.map((object) => ({ kind: 'accepted', object: refOf(object), durationMs: SETTLE_MS })),
  }
}

/** Routes on the Service itself (GAMMA) are not supported on AKS, so without a Gateway nothing would split anything. */
function unexposed(): Failure {
  const reason =
    'Without an exposure no Gateway routes requests for the service, so there is nothing that could split them.'
  const { code, nearest } = never(reason, 'Expose the service, or register the cluster with a mesh.') as {
    code: 'UnsupportedFeature'
    nearest: string
  }
  return {
    code,
    detail: reason,
    errors: [{ pointer: '/exposure', reason: 'is needed on clusters with gateway-api' }],
    hint: nearest,
  }
}

function hostRules(
  input: RenderInput,
  { paths, isGrpc }: ExposedHost,
): { rules: readonly Rule[]; errors: readonly FieldError[] } {
  const drafts = paths.map(({ path, port }) => {
    const without = paths.map((other) => other.path).filter((other) => other.length > path.length)
    return draftRules(input, { port, base: path, without, precedence: 'standard', noTimeouts: isGrpc })
  })
  const written = (isGrpc ? grpcRules : httpRules)(drafts.flatMap(({ rules }) => rules))
  const errors = [
    ...drafts.flatMap((draft) => draft.errors),
    ...written.errors,
    ...(isGrpc ? timeoutErrors(input) : []),
  ]
  return { rules: written.rules, errors }
}

function timeoutErrors({ policy }: RenderInput): readonly FieldError[] {
  const { timeout, routes = [] } = policy.traffic ?? {}
  const reason = 'a GRPCRoute has no timeouts'
  return [
    ...(timeout === undefined ? [] : [{ pointer: '/traffic/timeout', reason }]),
    ...routes.flatMap((route, index) =>
      route.timeout === undefined ? [] : [{ pointer: `/traffic/routes/${index}/timeout`, reason }],
    ),
  ]
}

/** The bundle that first takes statuses of redirects beside 301 and 302, of those that AKS brings. */
const MORE_STATUSES = '1.5.0'

function statusErrors({ policy, mesh }: RenderInput): readonly FieldError[] {
  const bundle = mesh.gatewayApi?.bundle
  if (bundle === undefined || !isOlder(bundle, MORE_STATUSES)) return []
  return (policy.traffic?.routes ?? []).flatMap(({ redirect }, index) =>
    !redirect || redirect.status < 303
      ? []
      : [
          {
            pointer: `/traffic/routes/${index}/redirect/status`,
            reason: `bundle ${bundle} takes 301 and 302; ${MORE_STATUSES} takes ${redirect.status}`,
          },
        ],
  )
}

function routeObject(
  input: RenderInput,
  { name, gateway, host, isGrpc }: ExposedHost,
  rules: readonly Rule[],
): KubeObject {
  const metadata = markedMetadata(input)
  const services = versionServiceNames(input)
  const named = Object.fromEntries(namedVersions(input).map((version) => [version, services[version] ?? '']))
  const parent = {
    group: GATEWAY_GROUP,
    kind: 'Gateway',
    namespace: gateway.namespace,
    name: gateway.name,
    ...(gateway.listener === undefined ? {} : { sectionName: gateway.listener }),
  }
  return {
    ...(isGrpc ? GRPC_ROUTE : HTTP_ROUTE),
    metadata: { ...metadata, name, annotations: { ...metadata.annotations, [BACKENDS]: backendsText(named) } },
    spec: { parentRefs: [parent], hostnames: [host], rules },
  }
}
