import { canonicalJson } from '../model/digest.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'
import {
  DRIVER_ACCESS,
  ENVOY_FILTER_ACCESS,
  GATEWAY_ACCESS,
  IMAGE_ACCESS,
  IMPORT_ACCESS,
  LINKERD_IDENTITY_ACCESS,
  MESH_ACCESS,
  POLICY_ACCESS,
  REQUIRED_ACCESS,
  RESTART_ACCESS,
  TRUST_ACCESS,
} from './required-access.ts'

export interface AccessReport {
  readonly allowed: boolean
  readonly missing: readonly AccessRight[]
  readonly granted: readonly AccessRight[]
  /** Rules that would grant what is missing: of a ClusterRole, or with a namespace of a Role there. */
  readonly rules: readonly {
    readonly namespace?: string
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    /** Absent: all. */
    readonly resourceNames?: readonly string[]
    readonly verbs: readonly string[]
  }[]
}

export interface AccessRight {
  readonly verb: string
  readonly group: string
  readonly resource: string
  /** Wanted in this namespace alone; absent: in the whole cluster. */
  readonly namespace?: string
  /** Wanted of objects of this name alone; absent: of all. */
  readonly name?: string
  readonly why: string
}

/**
 * Asks the cluster (SelfSubjectAccessReview) for each right that Meshwright needs: those of its mesh, those for certificates in the namespaces
 * of the gateways that it brings some to, those for Deployments in the namespaces of services released by `image`,
 * those for policies of Pods where a service there has one, those for trust bundles, or for Linkerd's anchors and issuer, where a
 * mesh CA is registered, and for restarts where it says so; with `isForImport` those for an import too.
 */
export async function checkAccess(
  deps: { readonly store: Store; readonly clusters: ClusterApis },
  name: string,
  isForImport = false,
): Promise<Result<AccessReport>> {
  const stored = await deps.store.read('cluster', name)
  if (!stored) return fail('NotFound', `There is no cluster ${name}.`)
  try {
    const api = await deps.clusters.connect(stored.value)
    const { store } = deps
    const more = await Promise.all([
      ...[policyRights(store, name), gatewayRights(store, name), imageRights(store, name), trustRights(store, name)],
    ])
    const provider = stored.value.spec.mesh?.provider ?? stored.value.mesh?.provider
    const ofMesh = provider ? (MESH_ACCESS[provider] ?? []) : []
    const ofFilters = stored.value.spec.mesh?.envoyFilters ? ENVOY_FILTER_ACCESS : []
    const ofImport = isForImport && provider ? (IMPORT_ACCESS[provider] ?? []) : []
    const rights = unlike([...REQUIRED_ACCESS, ...ofMesh, ...ofFilters, ...more.flat(), ...ofImport])
    const answers = await Promise.all(rights.map(async (right) => ({ right, allowed: await api.mayI(right) })))
    const missing = answers.filter(({ allowed }) => !allowed).map(({ right }) => right)
    const granted = answers.filter(({ allowed }) => allowed).map(({ right }) => right)
    return succeed({ allowed: missing.length === 0, missing, granted, rules: missing.map(toRule) })
  } catch (error) {
    if (!isPortError(error)) throw error
    return fail('Unavailable', `Cluster ${name} does not answer: ${error.message}`, {
      retryAfterMs: error.retryAfterMs ?? 5000,
    })
  }
}

/** Each once: some are needed for several things. */
function unlike(rights: readonly AccessRight[]): readonly AccessRight[] {
  const keyOf = ({ why: _, ...right }: AccessRight) => canonicalJson(right)
  const found = new Map<string, AccessRight>()
  for (const right of rights) if (!found.has(keyOf(right))) found.set(keyOf(right), right)
  return [...found.values()]
}

async function policyRights(store: Store, cluster: string): Promise<readonly AccessRight[]> {
  const services = await store.all('service')
  const has = ({ spec }: (typeof services)[number]) => {
    return [spec, ...(spec.overrides ?? [])].some(({ security, egress, telemetry }) => security ?? egress ?? telemetry)
  }
  return services.some((service) => Object.hasOwn(service.targets, cluster) && has(service)) ? POLICY_ACCESS : []
}

async function trustRights(store: Store, cluster: string): Promise<readonly AccessRight[]> {
  const registered = await store.all('mesh-ca', { where: { 'spec.cluster': cluster } })
  return registered.flatMap(({ spec }) => {
    const restarts = spec.restarts ? RESTART_ACCESS : []
    if (spec.purpose !== 'linkerd-identity') return [...TRUST_ACCESS.istio, ...restarts]
    return [...LINKERD_IDENTITY_ACCESS.map((right) => ({ ...right, namespace: spec.namespace })), ...restarts]
  })
}

async function gatewayRights(store: Store, cluster: string): Promise<readonly AccessRight[]> {
  const certificates = (await store.all('certificate')).filter(({ clusters }) => clusters.includes(cluster))
  const namespaces = (driven: boolean) => [
    ...new Set(
      certificates
        .filter(({ spec }) => !driven || spec.delivery === 'csi')
        .map(({ spec }) => spec.secret.namespace)
        .sort(),
    ),
  ]
  return [
    ...namespaces(false).flatMap((namespace) => GATEWAY_ACCESS.map((right) => ({ ...right, namespace }))),
    ...namespaces(true).flatMap((namespace) => DRIVER_ACCESS.map((right) => ({ ...right, namespace }))),
  ]
}

/** Of services whose versions Meshwright makes, or has made. */
async function imageRights(store: Store, cluster: string): Promise<readonly AccessRight[]> {
  const services = (await store.all('service')).filter((service) => {
    const isReleased = service.rollouts.some(
      ({ image, targets }) => image && targets.some((one) => one.cluster === cluster),
    )
    return isReleased || service.retired?.[cluster] !== undefined
  })
  const namespaces = [...new Set(services.map(({ namespace }) => namespace))].sort()
  return namespaces.flatMap((namespace) => IMAGE_ACCESS.map((right) => ({ ...right, namespace })))
}

function toRule({ namespace, name, group, resource, verb }: AccessRight): AccessReport['rules'][number] {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    apiGroups: [group],
    resources: [resource],
    ...(name === undefined ? {} : { resourceNames: [name] }),
    verbs: [verb],
  }
}
