import { canonicalJson } from '../../../model/digest.ts'
import { describeRef, type KubeObject, refOf } from '../../../model/kube.ts'
import { type ImportFinding, importFinding } from '../../read/codes.ts'
import { type KubeService, sameLabels } from '../../read/kube-service.ts'
import type { Chosen, SeenObjects } from '../../read/reader.ts'
import { fieldsOf, listOf, stringsOf } from '../../read/values.ts'
import { claimsService } from '../claims.ts'
import {
  AUTHORIZATION_POLICY,
  DESTINATION_RULE,
  ENVOY_FILTER,
  HTTP_ROUTE,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  SIDECAR,
  serviceHost,
  TELEMETRY,
  VIRTUAL_SERVICE,
} from '../names.ts'

type Named = Pick<KubeService, 'namespace' | 'name'>

/** Kinds that choose Pods by labels. */
const FOR_PODS: readonly string[] = [
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  AUTHORIZATION_POLICY,
  SIDECAR,
  TELEMETRY,
].map(({ kind }) => kind)

/** What may change anything. */
const NOT_READ: readonly string[] = [ENVOY_FILTER.kind, 'WasmPlugin', 'ProxyConfig']

/** The namespace whose objects are for the whole mesh, upstream and on AKS. */
const ROOTS: readonly (string | undefined)[] = ['istio-system', 'aks-istio-system']

/** The VirtualService and the DestinationRule that Istio takes for the service, and what chooses just its Pods. */
export function chooseObjects(service: KubeService, { objects }: SeenObjects): Chosen | undefined {
  const routes = objects
    .filter((object) => object.kind === VIRTUAL_SERVICE.kind && routesTo(object, service))
    .sort(byAge)
  const rules = objects
    .filter((object) => object.kind === DESTINATION_RULE.kind && isRuleFor(object, service))
    .sort(byAge)
  const policies = objects.filter((object) => isForPods(object, service))
  const [route, ...others] = routes
  const [rule, ...moreRules] = preferOwn(rules, service)
  const chosen = [...(route ? [route] : []), ...(rule ? [rule] : []), ...policies]
  if (chosen.length === 0) return undefined
  const foreign = [route, rule].filter((object) => object && object.metadata.namespace !== service.namespace)
  const idle = [...others, ...moreRules]
  const beside = objects.filter((object) => !chosen.includes(object) && !idle.includes(object))
  return {
    objects: chosen,
    idle,
    findings: [
      ...others.map((object) => notInForce(object, service)),
      ...moreRules.map((object) => besideRule(object, service)),
      ...foreign.flatMap((object) => (object ? [elsewhere(object, service)] : [])),
      ...beside
        .filter((object) => claimsService(object, { ...service, spec: asSpec(service) }, chosen))
        .map((object) => inTheWay(object, service)),
    ],
  }
}

/** Not those of the root namespace, which Istio looks at last. */
function preferOwn(rules: readonly KubeObject[], service: Named): readonly KubeObject[] {
  return [
    ...rules.filter(({ metadata }) => metadata.namespace === service.namespace),
    ...rules.filter(({ metadata }) => metadata.namespace !== service.namespace && !ROOTS.includes(metadata.namespace)),
    ...rules.filter(({ metadata }) => metadata.namespace !== service.namespace && ROOTS.includes(metadata.namespace)),
  ]
}

/** Istio takes the oldest of two for one host. */
function byAge(a: KubeObject, b: KubeObject): number {
  const [one, other] = [a, b].map((object) => String(fieldsOf(object.metadata).creationTimestamp ?? ''))
  const [first, second] = [`${one} ${canonicalJson(refOf(a))}`, `${other} ${canonicalJson(refOf(b))}`]
  return first < second ? -1 : 1
}

function notInForce(object: KubeObject, { namespace, name }: Named): ImportFinding {
  const message = `${describeRef(refOf(object))} is for ${namespace}/${name} too; only the one that was read counts.`
  return importFinding('NotInForce', message, { object: describeRef(refOf(object)) })
}

/** Istio merges the rules of a namespace for one host, and takes for a caller those of its own namespace. */
function besideRule(object: KubeObject, service: Named): ImportFinding {
  const { namespace } = object.metadata
  const { trafficPolicy, subsets } = object.spec ?? {}
  const isEmpty = Object.keys(fieldsOf(trafficPolicy)).length + listOf(subsets).length === 0
  if (namespace !== service.namespace && !ROOTS.includes(namespace)) return elsewhere(object, service)
  if (namespace !== service.namespace || isEmpty) return notInForce(object, service)
  const name = describeRef(refOf(object))
  const message = `${name} is merged by Istio with the DestinationRule that was read, and is not read itself.`
  return importFinding('NotCarried', message, { object: name, fix: 'Make one of the two, then import again.' })
}

function elsewhere(object: KubeObject, { namespace, name }: Named): ImportFinding {
  const message = `${describeRef(refOf(object))} decides about ${namespace}/${name} from another namespace.`
  return importFinding('OtherNamespace', message, { object: describeRef(refOf(object)) })
}

function asSpec({ selector }: KubeService) {
  return { workload: { labels: selector } }
}

/** What is not for the service alone is not taken over, and would be a conflict: a wildcard, a policy for some of its Pods. */
function inTheWay(object: KubeObject, service: KubeService): ImportFinding {
  if (object.metadata.namespace !== service.namespace) return elsewhere(object, service)
  const name = describeRef(refOf(object))
  const message = `${name} decides about ${service.namespace}/${service.name} too, and is not for just this service.`
  const fix = 'Remove it, or have its owner change it, before the service is managed: until then that is a Conflict.'
  return importFinding('NotCarried', message, { object: name, fix })
}

/** Does a VirtualService route requests within the mesh to the service's own host? */
function routesTo(object: KubeObject, service: Named): boolean {
  const gateways = stringsOf(object.spec?.gateways)
  if (gateways.length > 0 && !gateways.includes('mesh')) return false
  const exportTo = stringsOf(object.spec?.exportTo)
  const isSeen = exportTo.length === 0 || object.metadata.namespace === service.namespace || exportTo.includes('*')
  return isSeen && stringsOf(object.spec?.hosts).some((host) => isHostOf(host, object, service))
}

function isRuleFor(object: KubeObject, service: Named): boolean {
  return isHostOf(String(object.spec?.host ?? ''), object, service)
}

/** Is a host, as an object writes it, the service? */
export function isHostOf(host: string, object: KubeObject, { namespace, name }: Named): boolean {
  return fullHost(host, object.metadata.namespace) === serviceHost(namespace, name)
}

/** Istio reads a name without a dot as a service of the object's own namespace; `web.shop` and `web.shop.svc` are usual too. */
export function fullHost(host: string, namespace: string | undefined): string {
  if (!host.includes('.')) return host === '*' || namespace === undefined ? host : serviceHost(namespace, host)
  const [name = '', space = '', svc = 'svc', ...more] = host.split('.')
  return more.length === 0 && svc === 'svc' ? serviceHost(space, name) : host
}

/** Does an object choose the Pods of the service, and no others? */
function isForPods(object: KubeObject, service: KubeService): boolean {
  if (!FOR_PODS.includes(object.kind) || object.metadata.namespace !== service.namespace) return false
  const labels = podLabels(object)
  return Object.keys(labels).length > 0 && sameLabels(labels, service.selector)
}

/** Labels by which an object chooses Pods; none: all of the namespace. */
function podLabels({ spec }: KubeObject): Readonly<Record<string, unknown>> {
  return fieldsOf(fieldsOf(spec?.selector).matchLabels ?? fieldsOf(spec?.workloadSelector).labels)
}

/** What of the objects no service is read from, and why. */
export function leftObjects({ objects }: SeenObjects, taken: ReadonlySet<KubeObject>): readonly ImportFinding[] {
  return objects.filter((object) => !taken.has(object)).map(whyLeft)
}

function whyLeft(object: KubeObject): ImportFinding {
  const name = describeRef(refOf(object))
  const where = { object: name }
  if (FOR_PODS.includes(object.kind)) {
    const isWide = Object.keys(podLabels(object)).length === 0
    if (isWide && ROOTS.includes(object.metadata.namespace))
      return importFinding('NamespaceWide', `${name} is for the whole mesh.`, where)
    if (isWide) return importFinding('NamespaceWide', `${name} is for its whole namespace.`, where)
    return importFinding('Unattached', `${name} chooses Pods by labels that are the selector of no Service.`, where)
  }
  const gateways = stringsOf(object.spec?.gateways)
  if (object.kind === VIRTUAL_SERVICE.kind && gateways.length > 0 && !gateways.includes('mesh'))
    return importFinding('GatewayRoute', `${name} is for ${gateways.join(', ')}.`, where)
  if (NOT_READ.includes(object.kind)) return importFinding('NotRead', `${name} is not read.`, where)
  if (object.kind === HTTP_ROUTE.kind) return importFinding('GatewayRoute', `${name} is not read on Istio.`, where)
  return importFinding('Unattached', `${name} is for no Service that is read.`, where)
}
