import type { MigratedService } from '../../../../../src/mesh/osm/migration/migrate.ts'
import {
  bears,
  meshSettings,
  type OsmObjects,
  onlyWatched,
  type RouteMatch,
  workloadsOf,
} from '../../../../../src/mesh/osm/migration/objects.ts'
import { readServices } from '../../../../../src/mesh/osm/migration/services.ts'
import type { KubeObject } from '../../../../../src/model/kube.ts'
import type { AuthorizationRule } from '../../../../../src/model/policy/security.ts'

/** A request, or a connection where it has no `http`, to a port of a Pod. */
export interface Attempt {
  /** Service account of the caller; undefined: it has no proxy of the mesh. */
  readonly from: string | undefined
  readonly namespace: string
  /** Labels of the Pod that is called, and its service account. */
  readonly labels: Readonly<Record<string, string>>
  readonly account: string
  readonly port: number
  readonly http?: {
    readonly method: string
    readonly path: string
    readonly headers?: Readonly<Record<string, string>>
  }
}

/**
 * Does Open Service Mesh let it in? As `pkg/envoy/lds/rbac.go`, `pkg/envoy/rds/route/rbac.go` and `pkg/catalog` of 1.2.4 do, read for this
 * test alone: a connection must pass the ports of some TrafficTarget, a request fit a match of some besides. Of TrafficTargets that
 * overlap any is enough, as SMI says. One without sources is for everybody.
 */
export function letsInOf(all: OsmObjects): (attempt: Attempt) => boolean {
  const objects = onlyWatched(all)
  const services = [...readServices(objects).services.values()]
  const { permissive } = meshSettings(objects)
  const targets = objects.trafficTargets.map((target) => targetOf(target, objects)).filter(({ valid }) => valid)
  return ({ from, namespace, labels, account, port, http }) => {
    if (from === undefined) return false
    const served = services
      .filter((one) => one.namespace === namespace && bears(labels, one.selector))
      .flatMap(({ ports }) => ports)
      .filter(({ targetPort }) => targetPort === port)
    if (!served.some(({ protocol }) => (protocol === 'tcp') === (http === undefined))) return false
    if (permissive) return true
    const own = targets.filter(
      ({ to, sources }) => to === `${namespace}/${account}` && (sources.length === 0 || sources.includes(from)),
    )
    if (!own.some(({ ports }) => ports === 'any' || ports.includes(port))) return false
    return !http || own.some(({ matches }) => matches.some((match) => isAsked(match, http)))
  }
}

interface Target {
  readonly valid: boolean
  readonly to: string
  readonly sources: readonly string[]
  readonly ports: readonly number[] | 'any'
  readonly matches: readonly RouteMatch[]
}

function targetOf({ metadata: { namespace }, spec }: KubeObject, objects: OsmObjects): Target {
  const { destination, sources, rules } = spec as {
    destination: { name: string; namespace: string }
    sources: { name: string; namespace: string }[]
    rules: { kind: string; name: string; matches?: string[] }[]
  }
  const named = (list: readonly KubeObject[], name: string) =>
    list.find((one) => one.metadata.namespace === namespace && one.metadata.name === name)?.spec
  const routes = rules.filter(({ kind }) => kind === 'TCPRoute').map(({ name }) => named(objects.tcpRoutes, name))
  const ports = routes.flatMap((route) => (route?.matches as { ports: number[] } | undefined)?.ports ?? [])
  return {
    valid: destination.namespace === namespace && rules.length > 0,
    to: `${destination.namespace}/${destination.name}`,
    sources: sources.map((one) => `${one.namespace}/${one.name}`),
    ports: routes.includes(undefined) ? [] : ports.length === 0 ? 'any' : ports,
    matches: rules
      .filter(({ kind }) => kind === 'HTTPRouteGroup')
      .flatMap(({ name, matches = [] }) => {
        const known = (named(objects.routeGroups, name)?.matches ?? []) as readonly RouteMatch[]
        return matches.flatMap((match) => known.find((one) => one.name === match) ?? [])
      }),
  }
}

function isAsked({ pathRegex, methods, headers }: RouteMatch, http: NonNullable<Attempt['http']>): boolean {
  const asked = Object.entries(Object.assign({}, ...(Array.isArray(headers) ? headers : [headers])) as object)
  return (
    (!methods || methods.includes('*') || methods.includes(http.method)) &&
    wholly(pathRegex || '.*', http.path) &&
    asked.every(([name, pattern]) => wholly(pattern, http.headers?.[name] ?? ''))
  )
}

/** Do the services' rules let it in? Undefined: no service stands for the Pod. Rules for one Pod add up, as on Istio. */
export function letsInAfter(services: readonly MigratedService[], attempt: Attempt): boolean | undefined {
  const own = services.filter(
    ({ namespace, spec }) => namespace === attempt.namespace && bears(attempt.labels, spec.workload?.labels ?? {}),
  )
  if (own.length === 0) return undefined
  if (own.some(({ spec }) => spec.security?.mtls === 'strict') && attempt.from === undefined) return false
  return own.some(({ spec }) =>
    (spec.security?.authorization?.allow ?? []).some((rule) => fits(rule, spec.ports, attempt)),
  )
}

function fits(
  rule: AuthorizationRule,
  ports: MigratedService['spec']['ports'],
  { from, port, http }: Attempt,
): boolean {
  if (rule.serviceAccounts && !rule.serviceAccounts.includes(from ?? '')) return false
  const numbers = ports.filter(({ name }) => rule.ports?.includes(name) ?? true).map(({ targetPort }) => targetPort)
  if (!numbers.includes(port)) return false
  if (rule.methods && !rule.methods.some((method) => method === http?.method)) return false
  if (!rule.paths) return true
  return rule.paths.some((path) =>
    path.endsWith('*') ? http?.path.startsWith(path.slice(0, -1)) : path === http?.path,
  )
}

function wholly(regex: string, text: string): boolean {
  return new RegExp(`^(?:${regex})$`, 's').test(text)
}

/** Every Pod of watched namespaces, as far as requests to it ask. */
export function podsOf(objects: OsmObjects): readonly Pick<Attempt, 'namespace' | 'labels' | 'account'>[] {
  return workloadsOf(onlyWatched(objects)).filter(({ meshed }) => meshed)
}
