import { type Failure, fail } from '../../model/failure.ts'
import type { AuthorizationRule } from '../../model/policy/security.ts'
import type { RenderInput } from '../provider.ts'
import { consulName } from './intentions.ts'
import { unsayableRoutes } from './router.ts'

interface Problem {
  readonly pointer: string
  readonly reason: string
}

/** What of a service Consul could only do in part, beyond what the capabilities tell by the field alone. */
export function consulProblem(input: RenderInput): Failure | undefined {
  const errors = [
    ...portProblems(input),
    ...versionProblems(input),
    ...routeProblems(input),
    ...authorizationProblems(input),
  ]
  const first = errors[0]
  if (!first) return undefined
  return fail('UnsupportedFeature', `Consul cannot take the service as it is: ${first.pointer} ${first.reason}.`, {
    errors,
    hint: 'docs/clusters.md says what Consul takes.',
  }).failure
}

function portProblems({ spec }: RenderInput): readonly Problem[] {
  return spec.ports.slice(1).map((_, index) => ({
    pointer: `/ports/${index + 1}`,
    reason: 'is a second port: in Consul each port is a service of its own, so register it under that name',
  }))
}

/** A subset is chosen by one annotation of the Pods. What all Pods of the service bear anyway tells no version. */
function versionProblems({ spec }: RenderInput): readonly Problem[] {
  const common = spec.workload?.labels ?? {}
  return Object.entries(spec.versions).flatMap(([name, { labels }]): Problem[] => {
    const pointer = `/versions/${name}/labels`
    if (!labels.version) return [{ pointer, reason: 'must hold "version": Consul knows a version by that alone' }]
    const others = Object.keys(labels).filter((key) => key !== 'version' && common[key] !== labels[key])
    if (others.length === 0) return []
    return [
      { pointer, reason: `hold ${others.join(', ')}, which Consul does not look at and workload.labels do not name` },
    ]
  })
}

function routeProblems(input: RenderInput): readonly Problem[] {
  const { spec, policy, candidate } = input
  const ports = spec.ports.map(({ name }) => name)
  const inRoutes = (policy.traffic?.routes ?? []).flatMap((route, index): Problem[] => {
    const pointer = `/traffic/routes/${index}`
    const unknown = (route.ports ?? []).filter((name) => !ports.includes(name))
    const wholes =
      route.rewrite?.path === undefined
        ? []
        : route.match.flatMap(({ path }, at) => {
            return path && !('regex' in path) ? [] : [`${pointer}/match/${at}`]
          })
    return [
      ...unknown.map((name) => ({
        pointer: `${pointer}/ports`,
        reason: `name ${name}, which is no port of the service`,
      })),
      ...wholes.map((at) => ({ pointer: at, reason: 'must name an exact path or a prefix: Consul rewrites no other' })),
      ...(route.retries?.perTryTimeout === undefined
        ? []
        : [
            {
              pointer: `${pointer}/retries/perTryTimeout`,
              reason: 'is more than Consul has: it bounds the whole request',
            },
          ]),
    ]
  })
  const clashes = unsayableRoutes(input).map((pointer) => ({
    pointer,
    reason: 'and the match of the rollout are two patterns for one path, which Consul cannot join',
  }))
  const copies =
    candidate?.mirror === undefined ? [] : [{ pointer: '/mirror', reason: 'is beyond Consul: it copies no requests' }]
  return [...inRoutes, ...clashes, ...copies]
}

function authorizationProblems({ spec, policy }: RenderInput): readonly Problem[] {
  const { allow = [], deny = [] } = policy.security?.authorization ?? {}
  const ports = spec.ports.map(({ name }) => name)
  const namespaces = new Map<string, string>()
  const of = (rules: readonly AuthorizationRule[], list: 'allow' | 'deny') =>
    rules.flatMap((rule, index): Problem[] => {
      const pointer = `/security/authorization/${list}/${index}`
      const unknown = (rule.ports ?? []).filter((name) => !ports.includes(name))
      return [
        ...(rule.namespaces ? [{ pointer: `${pointer}/namespaces`, reason: NO_NAMESPACES }] : []),
        ...(rule.claims
          ? [{ pointer: `${pointer}/claims`, reason: 'need tokens, which are not checked in Consul yet' }]
          : []),
        ...unknown.map((name) => ({
          pointer: `${pointer}/ports`,
          reason: `name ${name}, which is no port of the service`,
        })),
        ...(rule.serviceAccounts ?? []).flatMap((account, at) => {
          const reason = accountProblem(account, namespaces)
          return reason === undefined ? [] : [{ pointer: `${pointer}/serviceAccounts/${at}`, reason }]
        }),
      ]
    })
  return [...of(allow, 'allow'), ...of(deny, 'deny')]
}

export const NO_NAMESPACES = 'are beyond Consul: its Community Edition has one namespace for all services'

/** Consul knows callers by the name of their service alone. `seen`: by that name the namespace that it stood for first. */
function accountProblem(account: string, seen: Map<string, string>): string | undefined {
  const name = consulName(account)
  if (name.includes('.')) return 'can be no name of a service in Consul'
  const namespace = account.slice(0, account.indexOf('/'))
  const first = seen.get(name) ?? namespace
  seen.set(name, first)
  if (first === namespace) return undefined
  return `and ${first}/${name} are one caller to Consul: its Community Edition has one namespace`
}
