import type { KubeObject } from '../../model/kube.ts'
import type { Policy } from '../../model/policy/policy.ts'
import type { AuthorizationRule } from '../../model/policy/security.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { RenderInput } from '../provider.ts'
import { isOlder } from '../version.ts'
import { AUTHORIZATION_POLICY } from './names.ts'
import { issuerName } from './security.ts'
import { partObject, selectorOf } from './workload-object.ts'

type Fields = Readonly<Record<string, unknown>>

/** What AuthorizationPolicies of a service are called besides it. */
export const AUTHORIZATION_PARTS = { token: 'token', deny: 'deny', allow: 'allow' } as const

/** Who is let in, and who never: at most one policy each for requests without a token, for `deny` and for `allow`. */
export function authorizationPolicies(input: RenderInput): readonly KubeObject[] {
  const { authentication, authorization } = input.policy.security ?? {}
  const { allow, deny } = authorization ?? {}
  return [
    ...(authentication?.required ? [policy(input, 'token', 'DENY', withoutToken(input))] : []),
    ...(deny && deny.length > 0 ? [policy(input, 'deny', 'DENY', rules(input, deny, 'deny'))] : []),
    // Without a rule nothing matches, so nobody is let in.
    ...(allow ? [policy(input, 'allow', 'ALLOW', rules(input, allow, 'allow'))] : []),
  ]
}

function policy(
  input: RenderInput,
  part: keyof typeof AUTHORIZATION_PARTS,
  action: 'ALLOW' | 'DENY',
  rules: readonly Fields[],
): KubeObject {
  return partObject(input, AUTHORIZATION_POLICY, AUTHORIZATION_PARTS[part], {
    ...selectorOf(input),
    action,
    ...(rules.length === 0 ? {} : { rules }),
  })
}

/**
 * Istio takes tokens by any RequestAuthentication that selects the Pod, so the service's own issuers are named. A principal
 * is `ISSUER/SUBJECT`, and an issuer's name may begin with another's and a slash: that is told by `iss` alone. A TCP
 * connection has no token: on TCP ports the rules would refuse everything.
 */
function withoutToken({ spec, policy }: RenderInput): readonly Fields[] {
  const issuers = issuersOf(policy)
  const to = hasTcp(spec) ? { to: [{ operation: { ports: podPorts(spec, httpPorts(spec)) } }] } : {}
  return [
    { from: [{ source: { notRequestPrincipals: principalsOf(issuers) } }], ...to },
    { ...to, when: [{ key: ISSUER, notValues: issuers }] },
  ]
}

const ISSUER = 'request.auth.claims[iss]'

/** What stands as `iss` in the tokens that the service takes. */
function issuersOf({ security }: Policy): readonly string[] {
  return [...new Set((security?.authentication?.issuers ?? []).map(issuerName))]
}

function principalsOf(issuers: readonly string[]): readonly string[] {
  return issuers.map((issuer) => `${issuer}/*`)
}

/** What allows by claims holds for tokens of the service's issuers alone; what denies by them, for any. */
function rules(input: RenderInput, asked: readonly AuthorizationRule[], list: 'allow' | 'deny'): readonly Fields[] {
  const issuers = issuersOf(input.policy)
  return asked.map((rule) => {
    const own = list === 'allow' && rule.claims !== undefined
    const callers = callersOf(input, rule)
    const source = own ? { ...callers, requestPrincipals: principalsOf(issuers) } : callers
    const operation = operationOf(input.spec, rule)
    const claims = Object.entries(rule.claims ?? {}).map(([claim, values]) => ({
      key: `request.auth.claims[${claim}]`,
      values,
    }))
    const when = own ? [...claims, { key: ISSUER, values: issuers }] : claims
    return {
      ...(source ? { from: [{ source }] } : {}),
      ...(operation ? { to: [{ operation }] } : {}),
      ...(when.length === 0 ? {} : { when }),
    }
  })
}

/**
 * Before Istio 1.29.2 service accounts are written as the end of a principal, whatever its trust domain: 1.29.0 began with a
 * field for them, and read its dots as any character (CVE-2026-39350).
 */
function callersOf({ mesh }: RenderInput, { serviceAccounts, namespaces }: AuthorizationRule): Fields | undefined {
  if (serviceAccounts) {
    if (mesh.version !== undefined && !isOlder(mesh.version, '1.29.2')) return { serviceAccounts }
    return {
      principals: serviceAccounts.map((account) => {
        const [namespace, name] = account.split('/')
        return `*/ns/${namespace}/sa/${name}`
      }),
    }
  }
  return namespaces ? { namespaces } : undefined
}

function operationOf(spec: ServiceSpec, rule: AuthorizationRule): Fields | undefined {
  const { methods, paths } = rule
  const ports = portsOf(spec, rule)
  if (!methods && !paths && !ports) return undefined
  return {
    ...(methods ? { methods } : {}),
    ...(paths ? { paths } : {}),
    ...(ports ? { ports: podPorts(spec, ports) } : {}),
  }
}

/** Names of the ports that a rule is for; undefined: all. What is asked of requests can be told on no TCP port. */
export function portsOf(spec: ServiceSpec, rule: AuthorizationRule): readonly string[] | undefined {
  if (rule.ports) return rule.ports
  return isForHttp(rule) && hasTcp(spec) ? httpPorts(spec) : undefined
}

/** Does a rule ask for what only HTTP requests have? */
export function isForHttp({ methods, paths, claims }: AuthorizationRule): boolean {
  return methods !== undefined || paths !== undefined || Object.keys(claims ?? {}).length > 0
}

export function hasTcp(spec: ServiceSpec): boolean {
  return spec.ports.some(({ protocol }) => protocol === 'tcp')
}

/** Names of the ports that speak HTTP. */
export function httpPorts(spec: ServiceSpec): readonly string[] {
  return spec.ports.filter(({ protocol }) => protocol !== 'tcp').map(({ name }) => name)
}

/** Istio asks for the ports of Pods. */
function podPorts(spec: ServiceSpec, names: readonly string[]): readonly string[] {
  const numbers = names.map((name) => spec.ports.find((port) => port.name === name)?.targetPort)
  return [...new Set(numbers.map(String))]
}
