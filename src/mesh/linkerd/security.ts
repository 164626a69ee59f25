import type { KubeObject } from '../../model/kube.ts'
import type { AuthorizationRule } from '../../model/policy/security.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { FieldError } from '../http-route/sections.ts'
import { markedMetadata } from '../marks.ts'
import type { RenderInput } from '../provider.ts'
import { AUTHORIZATION_POLICY, MESH_TLS, NETWORK, POLICY_GROUP, RATE_LIMIT, SERVER } from './names.ts'

type Port = ServiceSpec['ports'][number]

/**
 * Who may call: what the rules refer to, the rules, what counts requests, and last the Server of each port, which lets in
 * nobody but by them. Empty where nothing is asked for.
 */
export function securityObjects(input: RenderInput): readonly KubeObject[] {
  const { policy, spec } = input
  const rules = policy.security?.authorization?.allow
  const { rateLimit } = policy.traffic ?? {}
  if (!rules && !policy.security?.mtls) return []
  const needsAnyone = rules?.some((rule) => authenticationOf(input, rule).kind === NETWORK.kind)
  return [
    ...(needsAnyone ? [named(input, NETWORK, 'anyone', { networks: [{ cidr: '0.0.0.0/0' }, { cidr: '::/0' }] })] : []),
    ...(rules ?? []).flatMap((rule) => callersOf(input, rule)),
    ...(rules ?? []).flatMap((rule) =>
      spec.ports.filter((port) => isFor(rule, port)).map((port) => allowed(input, rule, port)),
    ),
    ...(rateLimit ? spec.ports.map((port) => limited(input, port, rateLimit.requests)) : []),
    ...spec.ports.map((port) => server(input, port)),
  ]
}

/** What a Server cannot be asked for. */
export function securityErrors({ policy, spec }: RenderInput): readonly FieldError[] {
  const { mtls, authorization } = policy.security ?? {}
  const { rateLimit } = policy.traffic ?? {}
  const asked = mtls !== undefined || authorization?.allow !== undefined
  const errors: FieldError[] = []
  if (asked && !spec.workload)
    errors.push({ pointer: '/workload', reason: 'is needed by security: the labels of every Pod of the service' })
  if (rateLimit && !asked)
    errors.push({
      pointer: '/traffic/rateLimit',
      reason: 'needs security.mtls or security.authorization: Linkerd counts at a Server, which decides who is let in',
    })
  if (rateLimit && (rateLimit.per !== 'second' || (rateLimit.burst ?? rateLimit.requests) !== rateLimit.requests))
    errors.push({
      pointer: '/traffic/rateLimit',
      reason: 'must be per second, with a burst of as many: Linkerd has no other',
    })
  if (asked) errors.push(...podPortErrors(spec))
  for (const [index, rule] of (authorization?.allow ?? []).entries()) {
    const pointer = `/security/authorization/allow/${index}`
    const unknown = (rule.ports ?? []).filter((name) => !spec.ports.some((port) => port.name === name))
    for (const name of unknown) errors.push({ pointer: `${pointer}/ports`, reason: `the service has no port ${name}` })
    if (!rule.serviceAccounts && !rule.namespaces && mtls === undefined)
      errors.push({
        pointer,
        reason: 'names no callers: security.mtls must say whether those outside the mesh are meant',
      })
  }
  return errors
}

/** A Server is for a port of the Pods: on any other it would guard nothing, and Linkerd takes one Server a port. */
function podPortErrors({ ports }: ServiceSpec): readonly FieldError[] {
  return ports.flatMap(({ targetPort }, index) => {
    const pointer = `/ports/${index}/targetPort`
    if (targetPort === undefined)
      return [{ pointer, reason: 'is needed by security: a Server guards a port of the Pods' }]
    const taken = ports.findIndex((port) => port.targetPort === targetPort) < index
    return taken ? [{ pointer, reason: 'stands twice: Linkerd takes one Server for a port of the Pods' }] : []
  })
}

function isFor({ ports }: AuthorizationRule, port: Port): boolean {
  return !ports || ports.includes(port.name)
}

function named(
  input: RenderInput,
  kind: { apiVersion: string; kind: string },
  name: string,
  spec: KubeObject['spec'],
): KubeObject {
  return { ...kind, metadata: { ...markedMetadata(input), name: `${input.name}.${name}` }, ...(spec ? { spec } : {}) }
}

/** What a rule asks of callers: one of some identities, any identity, or nothing. */
function authenticationOf(
  { policy }: RenderInput,
  rule: AuthorizationRule,
): { readonly kind: string; readonly name: string } {
  if (rule.serviceAccounts || rule.namespaces || policy.security?.mtls === 'strict')
    return { kind: MESH_TLS.kind, name: rule.name }
  return { kind: NETWORK.kind, name: 'anyone' }
}

function callersOf(input: RenderInput, rule: AuthorizationRule): readonly KubeObject[] {
  if (authenticationOf(input, rule).kind !== MESH_TLS.kind) return []
  const accounts = (rule.serviceAccounts ?? []).map((account) => {
    const [namespace = '', name = ''] = account.split('/')
    return { kind: 'ServiceAccount', namespace, name }
  })
  const spaces = (rule.namespaces ?? []).map((name) => ({ kind: 'Namespace', name }))
  const identityRefs = [...accounts, ...spaces]
  return [named(input, MESH_TLS, rule.name, identityRefs.length > 0 ? { identityRefs } : { identities: ['*'] })]
}

function allowed(input: RenderInput, rule: AuthorizationRule, port: Port): KubeObject {
  const { kind, name } = authenticationOf(input, rule)
  return named(input, AUTHORIZATION_POLICY, `${port.name}.${rule.name}`, {
    targetRef: { group: POLICY_GROUP, kind: SERVER.kind, name: `${input.name}.${port.name}` },
    requiredAuthenticationRefs: [{ group: POLICY_GROUP, kind, name: `${input.name}.${name}` }],
  })
}

function limited(input: RenderInput, port: Port, requestsPerSecond: number): KubeObject {
  return named(input, RATE_LIMIT, port.name, {
    targetRef: { group: POLICY_GROUP, kind: SERVER.kind, name: `${input.name}.${port.name}` },
    total: { requestsPerSecond },
  })
}

const PROTOCOLS: Readonly<Record<Port['protocol'], string>> = {
  http: 'unknown',
  http2: 'HTTP/2',
  grpc: 'gRPC',
  tcp: 'opaque',
}

function server(input: RenderInput, port: Port): KubeObject {
  const { mtls, authorization } = input.policy.security ?? {}
  const open = mtls === 'strict' ? 'all-authenticated' : 'all-unauthenticated'
  return named(input, SERVER, port.name, {
    podSelector: { matchLabels: input.spec.workload?.labels },
    port: port.targetPort,
    proxyProtocol: PROTOCOLS[port.protocol],
    accessPolicy: authorization?.allow ? 'deny' : open,
  })
}
