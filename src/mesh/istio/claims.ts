import { canonicalJson } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import type { RenderInput } from '../provider.ts'
import { sameLabels } from '../read/kube-service.ts'
import { isDryRun } from './dry-run.ts'
import { entrySpec } from './egress.ts'
import {
  AUTHORIZATION_POLICY,
  DESTINATION_RULE,
  HTTP_ROUTE,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  SERVICE_ENTRY,
  SIDECAR,
  serviceHost,
  TELEMETRY,
  VIRTUAL_SERVICE,
} from './names.ts'

type Service = Pick<RenderInput, 'namespace' | 'name'> & {
  readonly spec: Pick<RenderInput['spec'], 'hosts' | 'workload' | 'traffic' | 'egress' | 'overrides'>
}

/** Istio looks here last, so a rule here hides none of ours. */
const ROOT_NAMESPACES: readonly (string | undefined)[] = ['istio-system', 'aks-istio-system']

/**
 * Would this object decide, beside ours, where requests for the service go? Within the mesh Istio takes one
 * VirtualService a host, a DestinationRule in a caller's namespace hides the service's own, and an HTTPRoute on the
 * Service collides with a VirtualService (istioctl IST0109).
 */
export function claimsService(object: KubeObject, service: Service, own: readonly KubeObject[]): boolean {
  if (object.kind === VIRTUAL_SERVICE.kind) return virtualServiceClaims(object, service)
  if (object.kind === DESTINATION_RULE.kind) return destinationRuleClaims(object, service)
  if (object.kind === SERVICE_ENTRY.kind) return serviceEntryClaims(object, service)
  if (ONE_A_WORKLOAD.includes(object.kind)) return isForWorkload(object, service)
  // Istio takes the tokens of all of them.
  if (object.kind === REQUEST_AUTHENTICATION.kind) return isForWorkload(object, service)
  if (object.kind === AUTHORIZATION_POLICY.kind) return letsMoreIn(object, service, own)
  return object.kind === HTTP_ROUTE.kind && httpRouteClaims(object, service)
}

/**
 * Is an object for the service alone, so that ours can come in its place? A wildcard is for others too, and what chooses a part of the
 * Pods says of those what ours does not. HTTPRoutes are not read.
 */
export function isAdoptable(object: KubeObject, service: Service): boolean {
  if (object.kind === HTTP_ROUTE.kind) return false
  if (object.kind === VIRTUAL_SERVICE.kind) {
    const own = [...namesOf(service), ...(service.spec.hosts ?? [])]
    const hosts = strings(object.spec?.hosts).map((host) => fullHost(host, object.metadata.namespace))
    return isForMesh(object) && hosts.some((host) => own.includes(host)) && !hosts.some((host) => host.startsWith('*'))
  }
  if (!FOR_PODS.includes(object.kind)) return true
  return isForWorkload(object, service) && sameLabels(podLabels(object), service.spec.workload?.labels ?? {})
}

/** What decides for whom an object speaks, and where: by these Istio chooses among objects. */
const CLAIMING: readonly string[] = ['hosts', 'host', 'gateways', 'exportTo', 'selector', 'workloadSelector']

/** Do two objects speak for the same hosts, to the same callers? */
export function sameClaim(one: KubeObject, other: KubeObject): boolean {
  return CLAIMING.every((field) => canonicalJson(one.spec?.[field]) === canonicalJson(other.spec?.[field]))
}

function virtualServiceClaims(object: KubeObject, service: Service): boolean {
  if (!isForMesh(object)) return false
  if (!exportsTo(object, service.namespace)) return false
  const own = [...namesOf(service), ...(service.spec.hosts ?? [])]
  return strings(object.spec?.hosts).some((host) => {
    const full = fullHost(host, object.metadata.namespace)
    return own.some((name) => covers(full, name))
  })
}

function isForMesh({ spec }: KubeObject): boolean {
  const gateways = strings(spec?.gateways)
  return gateways.length === 0 || gateways.includes('mesh')
}

function destinationRuleClaims(object: KubeObject, service: Service): boolean {
  const host = fullHost(String(object.spec?.host ?? ''), object.metadata.namespace)
  if (!namesOf(service).includes(host)) return false
  if (object.metadata.namespace !== service.namespace) return !ROOT_NAMESPACES.includes(object.metadata.namespace)
  // In the service's own namespace Istio merges rules; only subsets can contradict ours, and a policy where we have one too.
  const { subsets, trafficPolicy } = object.spec ?? {}
  if (Array.isArray(subsets) && subsets.length > 0) return true
  return trafficPolicy !== undefined && hasTrafficPolicy(service)
}

/** Is a DestinationRule of ours to say more than versions, on any cluster? */
function hasTrafficPolicy({ spec }: Service): boolean {
  return [spec, ...(spec.overrides ?? [])].some(({ traffic }) => {
    const { connections, outliers, loadBalancing, affinity, locality } = traffic ?? {}
    return [connections, outliers, loadBalancing, affinity, locality].some((part) => part !== undefined)
  })
}

function httpRouteClaims(object: KubeObject, service: Service): boolean {
  const parents = object.spec?.parentRefs
  if (!Array.isArray(parents)) return false
  return (parents as { kind?: string; name?: string; namespace?: string }[]).some(
    ({ kind, name, namespace = object.metadata.namespace }) =>
      kind === 'Service' && name === service.name && namespace === service.namespace,
  )
}

/** Of these Istio takes one for a Pod, the oldest. */
const ONE_A_WORKLOAD: readonly string[] = [PEER_AUTHENTICATION, SIDECAR, TELEMETRY].map(({ kind }) => kind)

/** What chooses Pods by labels. */
const FOR_PODS: readonly string[] = [
  ...ONE_A_WORKLOAD,
  ...[REQUEST_AUTHENTICATION, AUTHORIZATION_POLICY].map(({ kind }) => kind),
]

/** Is an object for Pods of the service and no others? What is for the whole namespace is its owner's affair. */
function isForWorkload(object: KubeObject, { namespace, spec }: Service): boolean {
  const labels = Object.entries(spec.workload?.labels ?? {})
  if (object.metadata.namespace !== namespace || labels.length === 0) return false
  const chosen = podLabels(object)
  return labels.every(([key, value]) => chosen[key] === value)
}

function podLabels({ spec }: KubeObject): Readonly<Record<string, string>> {
  const { selector, workloadSelector } = (spec ?? {}) as {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> }
  }
  return selector?.matchLabels ?? workloadSelector?.labels ?? {}
}

/**
 * What one such policy allows is allowed, whatever another leaves out. Where ours allow nothing by name, theirs are what keeps people out,
 * and stand beside ours.
 */
function letsMoreIn(object: KubeObject, service: Service, own: readonly KubeObject[]): boolean {
  const { rules } = object.spec ?? {}
  if (!allows(object) || !own.some(allows) || isDryRun(object)) return false
  return Array.isArray(rules) && rules.length > 0 && isForWorkload(object, service)
}

function allows({ kind, spec }: KubeObject): boolean {
  return kind === AUTHORIZATION_POLICY.kind && (spec?.action ?? 'ALLOW') === 'ALLOW'
}

/** Two of one host in a namespace are taken for one; they must say the same of a port. */
function serviceEntryClaims(object: KubeObject, { namespace, spec }: Service): boolean {
  if (object.metadata.namespace !== namespace) return false
  const hosts = [spec.egress, ...(spec.overrides ?? []).map(({ egress }) => egress)].flatMap(
    (egress) => egress?.hosts ?? [],
  )
  const theirs = portsByNumber(object.spec?.ports)
  return hosts
    .filter(({ host }) => strings(object.spec?.hosts).includes(host))
    .flatMap((host) => [...portsByNumber(entrySpec(host).ports)])
    .some(([number, port]) => theirs.has(number) && theirs.get(number) !== port)
}

function portsByNumber(ports: unknown): ReadonlyMap<unknown, string> {
  if (!Array.isArray(ports)) return new Map()
  return new Map(
    (ports as Readonly<Record<string, unknown>>[]).map(({ number, protocol, targetPort = number }) => [
      number,
      canonicalJson([protocol, targetPort]),
    ]),
  )
}

function exportsTo(object: KubeObject, namespace: string): boolean {
  const exportTo = strings(object.spec?.exportTo)
  if (exportTo.length === 0 || exportTo.includes('*') || exportTo.includes(namespace)) return true
  return exportTo.includes('.') && object.metadata.namespace === namespace
}

function namesOf({ namespace, name }: Service): readonly string[] {
  return [serviceHost(namespace, name), `${name}.${namespace}.svc`, `${name}.${namespace}`]
}

/** Istio reads a name without a dot as a service of the object's own namespace. */
function fullHost(host: string, namespace: string | undefined): string {
  return host.includes('.') || host === '*' || namespace === undefined ? host : serviceHost(namespace, host)
}

function covers(pattern: string, host: string): boolean {
  return pattern === host || pattern === '*' || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1)))
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
