import { connectable, grantsOf, type Match } from '../../../../../src/mesh/osm/migration/grants.ts'
import type { MigratedService } from '../../../../../src/mesh/osm/migration/migrate.ts'
import {
  bears,
  meshSettings,
  type OsmObjects,
  onlyWatched,
  workloadsOf,
} from '../../../../../src/mesh/osm/migration/objects.ts'
import { readServices } from '../../../../../src/mesh/osm/migration/services.ts'
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

/** Does Open Service Mesh let it in? Of TrafficTargets that overlap for one caller any is enough, as SMI says. */
export function letsInOf(all: OsmObjects): (attempt: Attempt) => boolean {
  const objects = onlyWatched(all)
  const services = [...readServices(objects).services.values()]
  const { permissive } = meshSettings(objects)
  const { grants } = grantsOf(objects)
  return ({ from, namespace, labels, account, port, http }) => {
    if (from === undefined) return false
    const served = services
      .filter((one) => one.namespace === namespace && bears(labels, one.selector))
      .flatMap(({ ports }) => ports)
      .filter(({ targetPort }) => targetPort === port)
    if (!served.some(({ protocol }) => (protocol === 'tcp') === (http === undefined))) return false
    if (permissive) return true
    const to = `${namespace}/${account}`
    const own = grants.filter((grant) => grant.to === to && grant.from.includes(from))
    const ports = connectable(own, to, from)
    if (own.length === 0 || (ports && !ports.includes(port))) return false
    return !http || own.some(({ matches }) => matches.some((match) => isAsked(match, http)))
  }
}

function isAsked({ path = '.*', methods, headers = {} }: Match, http: NonNullable<Attempt['http']>): boolean {
  return (
    (methods?.includes(http.method) ?? true) &&
    wholly(path, http.path) &&
    Object.entries(headers).every(([name, pattern]) => wholly(pattern, http.headers?.[name] ?? ''))
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
