import type { KubeObject } from '../../model/kube.ts'
import type { AuthorizationRule } from '../../model/policy/security.ts'
import type { ServiceSpec } from '../../model/service.ts'
import type { RenderInput } from '../provider.ts'
import { isOlder } from '../version.ts'
import { AUTHORIZATION_POLICY } from './names.ts'
import { partObject, selectorOf } from './workload-object.ts'

type Fields = Readonly<Record<string, unknown>>

/** What AuthorizationPolicies of a service are called besides it. */
export const AUTHORIZATION_PARTS = { token: 'token', deny: 'deny', allow: 'allow' } as const

/** Who is let in, and who never: at most one policy each for requests without a token, for `deny` and for `allow`. */
export function authorizationPolicies(input: RenderInput): readonly KubeObject[] {
  const { authentication, authorization } = input.policy.security ?? {}
  const { allow, deny } = authorization ?? {}
  return [
    ...(authentication?.required ? [policy(input, 'token', 'DENY', [withoutToken(input.spec)])] : []),
    ...(deny && deny.length > 0 ? [policy(input, 'deny', 'DENY', rules(input, deny))] : []),
    // Without a rule nothing matches, so nobody is let in.
    ...(allow ? [policy(input, 'allow', 'ALLOW', rules(input, allow))] : []),
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

/** A TCP connection has no token: on TCP ports the rule would refuse everything. */
function withoutToken(spec: ServiceSpec): Fields {
  const from = [{ source: { notRequestPrincipals: ['*'] } }]
  return hasTcp(spec) ? { from, to: [{ operation: { ports: podPorts(spec, httpPorts(spec)) } }] } : { from }
}

function rules(input: RenderInput, asked: readonly AuthorizationRule[]): readonly Fields[] {
  return asked.map((rule) => {
    const source = sourceOf(input, rule)
    const operation = operationOf(input.spec, rule)
    const when = Object.entries(rule.claims ?? {}).map(([claim, values]) => ({
      key: `request.auth.claims[${claim}]`,
      values,
    }))
    return {
      ...(source ? { from: [{ source }] } : {}),
      ...(operation ? { to: [{ operation }] } : {}),
      ...(when.length === 0 ? {} : { when }),
    }
  })
}

/** Before Istio 1.29 service accounts are written as the end of a principal, whatever its trust domain. */
function sourceOf({ mesh }: RenderInput, { serviceAccounts, namespaces }: AuthorizationRule): Fields | undefined {
  if (serviceAccounts) {
    if (mesh.version === undefined || !isOlder(mesh.version, '1.29.0')) return { serviceAccounts }
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
