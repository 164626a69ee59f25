import { canonicalJson } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import { ALL_PATHS } from '../http-route/http-match.ts'
import { GATEWAY_GROUP, isRoute } from '../http-route/names.ts'
import { rulesOf } from '../http-route/rule.ts'

interface ParentRef {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly sectionName?: string
}

/**
 * Would this route take requests that are ours? One for the same host at the same Gateway that names one of our paths, or
 * that is of the other kind, which the Gateway API lets no host have both of. Longer paths below ours belong to their owner.
 */
export function claimsExposure(object: KubeObject, own: readonly KubeObject[]): boolean {
  if (!isRoute(object)) return false
  return own.filter(isRoute).some((ours) => {
    if (!sharesParent(object, ours) || !sharesHost(object, ours)) return false
    return object.kind !== ours.kind || pathsOf(object).some((path) => pathsOf(ours).includes(path))
  })
}

/** Do two routes stand at the same Gateways, for the same hosts and paths? */
export function sameExposure(one: KubeObject, other: KubeObject): boolean {
  return canonicalJson(exposureOf(one)) === canonicalJson(exposureOf(other))
}

function exposureOf(object: KubeObject): unknown {
  const parents = parentsOf(object).map(({ name, namespace, sectionName }) => ({ name, namespace, sectionName }))
  return { kind: object.kind, parents, hosts: hostsOf(object), paths: [...new Set(pathsOf(object))].sort() }
}

function sharesParent(a: KubeObject, b: KubeObject): boolean {
  return parentsOf(a).some((one) =>
    parentsOf(b).some(
      (other) =>
        one.name === other.name &&
        one.namespace === other.namespace &&
        (one.sectionName === undefined || other.sectionName === undefined || one.sectionName === other.sectionName),
    ),
  )
}

function parentsOf({ spec, metadata }: KubeObject): readonly ParentRef[] {
  const parents = Array.isArray(spec?.parentRefs) ? (spec.parentRefs as ParentRef[]) : []
  return parents
    .filter(({ group = GATEWAY_GROUP, kind = 'Gateway' }) => group === GATEWAY_GROUP && kind === 'Gateway')
    .map((parent) => ({ ...parent, namespace: parent.namespace ?? metadata.namespace ?? '' }))
}

/** A route without hosts, or with a wildcard, is less close than one with the host. */
function sharesHost(a: KubeObject, b: KubeObject): boolean {
  const hosts = hostsOf(b)
  return hostsOf(a).some((host) => hosts.includes(host))
}

function hostsOf({ spec }: KubeObject): readonly string[] {
  return Array.isArray(spec?.hostnames) ? (spec.hostnames as string[]).map((host) => host.toLowerCase()) : []
}

/** Paths of an HTTPRoute, methods of a GRPCRoute, as text. */
function pathsOf(object: KubeObject): readonly string[] {
  const rules = rulesOf(object)
  return rules.flatMap(({ matches = [] }) => {
    const found = matches as readonly { readonly path?: Partial<typeof ALL_PATHS>; readonly method?: unknown }[]
    const isHttp = object.kind === 'HTTPRoute'
    if (found.length === 0) return [canonicalJson(isHttp ? ALL_PATHS : null)]
    return found.map((match) => canonicalJson(isHttp ? { ...ALL_PATHS, ...match.path } : (match.method ?? null)))
  })
}
