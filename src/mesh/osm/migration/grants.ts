import type { KubeObject } from '../../../model/kube.ts'
import type { Finding } from '../../lint/finding.ts'
import { accountKey, type OsmObjects, type RouteMatch, specOf, type TrafficTargetSpec } from './objects.ts'
import { found } from './rules.ts'

/** Requests that a TrafficTarget lets in. Headers and paths are regular expressions for the whole value. */
export interface Match {
  /** `bookstore/bookstore-service-routes`, and the match's name in it: as replacements name it. */
  readonly routeGroup: string
  readonly name: string
  readonly path?: string
  /** Undefined: all of them. */
  readonly methods?: readonly string[]
  /** Undefined: none are asked for. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What one TrafficTarget says: who may send what to the Pods of one service account. */
export interface Grant {
  /** `TrafficTarget bookstore/bookbuyer-access`. */
  readonly object: string
  /** Service account of the Pods that are called. */
  readonly to: string
  /** Those of the callers; none: all of the mesh, which is not carried. */
  readonly from: readonly string[]
  readonly matches: readonly Match[]
  /** Ports of Pods that connections may be made to; undefined: all. */
  readonly ports: readonly number[] | undefined
}

/**
 * What the TrafficTargets that are in force say, as the mesh reads them: `pkg/catalog` and `pkg/envoy/lds/rbac.go` of
 * Open Service Mesh 1.2.4. One that names no ports lets its callers connect to every port; HTTP requests must besides fit a match
 * of any TrafficTarget of the same caller.
 */
export function grantsOf(objects: OsmObjects): { grants: readonly Grant[]; findings: readonly Finding[] } {
  const findings: Finding[] = []
  const specs = specsOf(objects)
  const grants = objects.trafficTargets.flatMap((target) => {
    const read = grantOf(target, specs)
    findings.push(...read.findings)
    return read.grant ? [read.grant] : []
  })
  return { grants, findings }
}

/** HTTPRouteGroups and TCPRoutes by `KIND NAMESPACE/NAME`. */
type Specs = ReadonlyMap<string, KubeObject>

function specsOf({ routeGroups, tcpRoutes }: OsmObjects): Specs {
  return new Map([...routeGroups, ...tcpRoutes].map((one) => [specKey(one.kind, one, one.metadata.name), one]))
}

/** A TrafficTarget names those of its own namespace. */
function specKey(kind: string, { metadata: { namespace } }: KubeObject, name: string | undefined): string {
  return `${kind} ${namespace}/${name}`
}

function grantOf(target: KubeObject, specs: Specs): { grant?: Grant; findings: readonly Finding[] } {
  const object = `TrafficTarget ${target.metadata.namespace}/${target.metadata.name}`
  const { destination, sources = [], rules = [] } = specOf<TrafficTargetSpec>(target)
  const out = (reason: string) => ({ findings: [found('NotInForce', object, `${object} ${reason}.`)] })
  const { name, namespace } = destination ?? {}
  if (name === undefined || namespace === undefined || namespace !== target.metadata.namespace)
    return out('is for a service account of another namespace')
  if (rules.length === 0) return out('has no rules')
  if (rules.some(({ kind }) => kind !== 'HTTPRouteGroup' && kind !== 'TCPRoute'))
    return out('has a rule of unknown kind')
  const from = sources.flatMap(({ name, namespace }) =>
    name && namespace && ACCOUNT.test(`${namespace}/${name}`) ? [accountKey({ name, namespace })] : [],
  )
  const isOpen = sources.length === 0
  if (from.length === 0 && !isOpen) return out('names no callers that there can be')
  const { ports, missing: routes } = portsOf(target, rules, specs)
  const { matches, missing } = matchesOf(target, rules, specs)
  const open = `${object} names no callers, which Open Service Mesh reads as all of the mesh.`
  const findings = [
    ...(isOpen ? [found('NoSources', object, open)] : []),
    ...[...routes, ...missing].map((name) =>
      found('NotInForce', object, `${object} names ${name}, which is not there.`),
    ),
  ]
  const to = accountKey({ name, namespace })
  return { grant: { object, to, from: [...new Set(from)].sort(), matches, ports }, findings }
}

/** What no service account can be called is nobody. */
const ACCOUNT =
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/

type Rules = NonNullable<TrafficTargetSpec['rules']>

/** The ports of all TCPRoutes together; undefined where none says one. Where one is not there, connections are let in to none. */
function portsOf(
  target: KubeObject,
  rules: Rules,
  specs: Specs,
): { ports: readonly number[] | undefined; missing: readonly string[] } {
  const routes = rules
    .filter(({ kind }) => kind === 'TCPRoute')
    .map(({ name }) => ({ name, route: specs.get(specKey('TCPRoute', target, name)) }))
  const missing = routes
    .filter(({ route }) => !route)
    .map(({ name }) => `TCPRoute ${target.metadata.namespace}/${name}`)
  if (missing.length > 0) return { ports: [], missing }
  const ports = routes.flatMap(({ route }) =>
    route ? (specOf<{ matches?: { ports?: readonly number[] } }>(route).matches?.ports ?? []) : [],
  )
  return { ports: ports.length === 0 ? undefined : [...new Set(ports)].sort((a, b) => a - b), missing }
}

function matchesOf(
  target: KubeObject,
  rules: Rules,
  specs: Specs,
): { matches: readonly Match[]; missing: readonly string[] } {
  const missing: string[] = []
  const matches = rules.flatMap((rule) => {
    if (rule.kind !== 'HTTPRouteGroup') return []
    const routeGroup = `${target.metadata.namespace}/${rule.name}`
    const group = specs.get(specKey('HTTPRouteGroup', target, rule.name))
    if (!group) missing.push(`HTTPRouteGroup ${routeGroup}`)
    const known = group ? (specOf<{ matches?: readonly RouteMatch[] }>(group).matches ?? []) : []
    return (rule.matches ?? []).flatMap((name): Match[] => {
      // Of two of one name the mesh keeps the last.
      const match = known.findLast((one) => one.name === name)
      if (group && !match) missing.push(`match ${name} of HTTPRouteGroup ${routeGroup}`)
      return match ? [{ routeGroup, name, ...conditions(match) }] : []
    })
  })
  return { matches, missing }
}

function conditions({ pathRegex, methods, headers }: RouteMatch): Omit<Match, 'routeGroup' | 'name'> {
  const all: Readonly<Record<string, string>> = Object.assign({}, ...(Array.isArray(headers) ? headers : [headers]))
  const anyMethod = !methods || methods.length === 0 || methods.includes('*')
  return {
    ...(pathRegex ? { path: pathRegex } : {}),
    ...(anyMethod ? {} : { methods: [...new Set(methods)].sort() }),
    ...(Object.keys(all).length === 0 ? {} : { headers: all }),
  }
}

/** Ports of Pods that a caller may connect to at all; undefined: all. */
export function connectable(grants: readonly Grant[], to: string, from: string): readonly number[] | undefined {
  const own = grants.filter((grant) => grant.to === to && grant.from.includes(from))
  if (own.some(({ ports }) => ports === undefined)) return undefined
  return [...new Set(own.flatMap(({ ports }) => ports ?? []))].sort((a, b) => a - b)
}
