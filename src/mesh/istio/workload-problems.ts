import type { AuthorizationRule } from '../../model/policy/security.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { RenderInput } from '../provider.ts'
import { isOlder } from '../version.ts'
import { hasTcp, httpPorts, isForHttp, portsOf } from './authorization.ts'
import { SCOPES } from './security.ts'
import type { FieldProblem } from './traffic-problems.ts'

/** What of security, egress and telemetry does not go together on Istio. */
export function workloadProblems(input: RenderInput): readonly FieldProblem[] {
  const { authorization } = input.policy.security ?? {}
  return [
    ...bindingProblems(input),
    ...authenticationProblems(input),
    ...(['allow', 'deny'] as const).flatMap((list) =>
      (authorization?.[list] ?? []).flatMap((rule, index) =>
        ruleProblems(input, rule, `/security/authorization/${list}/${index}`),
      ),
    ),
    ...egressProblems(input),
    ...rateLimitProblems(input),
  ]
}

/** The filter is put into the listeners of Pods' ports. */
function rateLimitProblems({ spec, policy }: RenderInput): readonly FieldProblem[] {
  const { rateLimit } = policy.traffic ?? {}
  if (!rateLimit) return []
  const pointer = '/traffic/rateLimit'
  const { requests, burst = requests } = rateLimit
  const http = httpPorts(spec)
  return [
    ...(http.length === 0 ? [{ pointer, reason: 'is for HTTP, and all ports of the service speak TCP' }] : []),
    ...(burst < requests ? [{ pointer: `${pointer}/burst`, reason: 'cannot be below requests' }] : []),
    ...podPortProblems({ spec }, http),
  ]
}

/** Istio's policies choose Pods by labels; without any they would be for the whole namespace. */
function bindingProblems({ spec, policy }: RenderInput): readonly FieldProblem[] {
  if (spec.workload) return []
  const { traffic, security, egress, telemetry } = policy
  const parts = [
    ...(traffic?.rateLimit === undefined ? [] : ['traffic.rateLimit']),
    ...Object.entries(security ?? {}).flatMap(([field, value]) => (value === undefined ? [] : [`security.${field}`])),
    ...(egress?.unlisted === undefined ? [] : ['egress.unlisted']),
    ...Object.entries(telemetry ?? {}).flatMap(([field, value]) => (value === undefined ? [] : [`telemetry.${field}`])),
  ]
  if (parts.length === 0) return []
  return [{ pointer: '/workload', reason: `must say which Pods are meant by ${parts.join(', ')}` }]
}

const PRIVATE_HOST = /(^|\.)(local|localhost|internal|svc|lan|home|corp|intranet)$/
const ANY_TENANT = /^https:\/\/(login\.microsoftonline\.com|sts\.windows\.net)\/(common|organizations|consumers)(\/|$)/

function authenticationProblems({ spec, policy }: RenderInput): readonly FieldProblem[] {
  const { authentication } = policy.security ?? {}
  if (!authentication) return []
  const pointer = '/security/authentication'
  if (httpPorts(spec).length === 0) return [{ pointer, reason: 'is for HTTP, and all ports of the service speak TCP' }]
  const issuers = authentication.issuers.flatMap((issuer, index): readonly FieldProblem[] => {
    if ('entra' in issuer) return []
    const at = `${pointer}/issuers/${index}`
    const host = new URL(issuer.jwksUri).hostname
    return [
      ...(ANY_TENANT.test(issuer.issuer)
        ? [{ pointer: `${at}/issuer`, reason: 'never stands in a token: name the tenant' }]
        : []),
      ...(PRIVATE_HOST.test(host) || !host.includes('.')
        ? [{ pointer: `${at}/jwksUri`, reason: 'must be a public host: istiod fetches it' }]
        : []),
    ]
  })
  const ports = authentication.required && hasTcp(spec) ? httpPorts(spec) : []
  return [...issuers, ...podPortProblems({ spec }, ports), ...sharedPortProblems(spec, ports, () => pointer)]
}

function ruleProblems({ spec, mesh }: RenderInput, rule: AuthorizationRule, pointer: string): readonly FieldProblem[] {
  const unknown = (rule.ports ?? []).flatMap((name, at): readonly FieldProblem[] => {
    const port = spec.ports.find((port) => port.name === name)
    const here = `${pointer}/ports/${at}`
    if (!port) return [{ pointer: here, reason: 'must be the name of a port of the service' }]
    return port.protocol === 'tcp' && isForHttp(rule)
      ? [{ pointer: here, reason: 'speaks TCP, where no method, path or claim can be told' }]
      : []
  })
  const http = isForHttp(rule) && httpPorts(spec).length === 0 && !rule.ports
  const templates = (rule.paths ?? []).flatMap((path, at) =>
    /[{}]/.test(path)
      ? [{ pointer: `${pointer}/paths/${at}`, reason: 'must hold no brace: Istio reads a template' }]
      : [],
  )
  return [
    ...unknown,
    ...templates,
    ...scopeProblems(mesh, rule, pointer),
    ...(http ? [{ pointer, reason: 'is for HTTP, and all ports of the service speak TCP' }] : []),
    ...podPortProblems({ spec }, portsOf(spec, rule) ?? []),
    ...sharedPortProblems(spec, portsOf(spec, rule), (at) => (rule.ports ? `${pointer}/ports/${at}` : pointer)),
  ]
}

function scopeProblems({ version }: RenderInput['mesh'], { claims = {} }: AuthorizationRule, pointer: string) {
  if (!Object.hasOwn(claims, SCOPES) || (version !== undefined && !isOlder(version, '1.28'))) return []
  const reason = `needs Istio 1.28 or newer${version === undefined ? ', whose version must be known' : ''}: before, it fits no token with several scopes`
  return [{ pointer: `${pointer}/claims/${SCOPES}`, reason }]
}

/** A rule for a port of the Pods is for every port of the service that leads there. */
function sharedPortProblems(
  spec: ServiceSpec,
  named: readonly string[] = [],
  pointerAt: (index: number) => string,
): readonly FieldProblem[] {
  const others = spec.ports.filter(({ name }) => !named.includes(name))
  return named.flatMap((name, at) => {
    const target = spec.ports.find((port) => port.name === name)?.targetPort
    const shared = others.filter((other) => target !== undefined && (other.targetPort ?? other.port) === target)
    if (shared.length === 0) return []
    const names = shared.map((other) => other.name).join(', ')
    const reason = `leads to port ${target} of the Pods as ${names} does, which it is not for: Istio cannot tell them apart`
    return [{ pointer: pointerAt(at), reason }]
  })
}

/** Istio asks for the ports of Pods; were the number wrong, a rule to deny would let everyone in. */
function podPortProblems({ spec }: Pick<RenderInput, 'spec'>, names: readonly string[]): readonly FieldProblem[] {
  return spec.ports.flatMap((port, index) =>
    names.includes(port.name) && typeof port.targetPort !== 'number'
      ? [
          {
            pointer: `/ports/${index}/targetPort`,
            reason: 'must be given as a number: Istio asks for the port of the Pods',
          },
        ]
      : [],
  )
}

const PLAIN: readonly string[] = ['http', 'http2', 'grpc']

function egressProblems({ policy }: RenderInput): readonly FieldProblem[] {
  return (policy.egress?.hosts ?? []).flatMap(({ host, ports, originateTls }, index) => {
    const pointer = `/egress/hosts/${index}`
    const seen = new Set<number>()
    return [
      ...(originateTls && host.startsWith('*')
        ? [{ pointer: `${pointer}/originateTls`, reason: 'needs a host without a wildcard' }]
        : []),
      ...ports.flatMap(({ port, protocol }, at): readonly FieldProblem[] => {
        const here = `${pointer}/ports/${at}`
        const twice = seen.has(port)
        seen.add(port)
        return [
          ...(twice ? [{ pointer: `${here}/port`, reason: 'stands twice' }] : []),
          ...(originateTls && !PLAIN.includes(protocol)
            ? [
                {
                  pointer: `${here}/protocol`,
                  reason: `must be one of ${PLAIN.join(', ')} where the proxy makes the TLS`,
                },
              ]
            : []),
          ...(protocol === 'tcp' ? [{ pointer: `${here}/protocol`, reason: TCP_EGRESS }] : []),
        ]
      }),
    ]
  })
}
const TCP_EGRESS = 'cannot be told from other hosts on the same port: Istio knows plain TCP by address; use tls'
