import type { KubeObject } from '../../model/kube.ts'
import type { RenderInput } from '../provider.ts'
import { versionServiceNames } from '../version-services.ts'
import { serviceAccounts } from './access.ts'
import { hostOf, isOfKind, TRAFFIC_SETTING, TRAFFIC_SPLIT, TRAFFIC_TARGET } from './names.ts'

type Service = Pick<RenderInput, 'namespace' | 'name' | 'spec'>

/**
 * Would this object decide, beside ours, where requests for the service go or who may send them? Of two splits of one Service
 * the mesh takes any, of two settings of one host too; what one TrafficTarget lets in is in, whatever ours leave out.
 */
export function claimsService(object: KubeObject, service: Service): boolean {
  const { namespace, name, spec } = service
  if (isOfKind(object, TRAFFIC_SPLIT)) return object.metadata.namespace === namespace && rootOf(object) === name
  if (isOfKind(object, TRAFFIC_TARGET)) {
    const { name: account, namespace: of } = (object.spec?.destination ?? {}) as Readonly<Record<string, unknown>>
    return (
      asks(spec, ({ security }) => security?.authorization !== undefined) &&
      (of ?? object.metadata.namespace) === namespace &&
      serviceAccounts(service).includes(String(account))
    )
  }
  if (!isOfKind(object, TRAFFIC_SETTING)) return false
  const hosts = [name, ...Object.values(versionServiceNames(service))].map((one) => hostOf(one, namespace))
  const limits = asks(spec, ({ traffic }) => (traffic?.connections ?? traffic?.rateLimit) !== undefined)
  return limits && hosts.includes(String(object.spec?.host))
}

/** The Service that a split is for; its full host name is taken too. */
function rootOf(split: KubeObject): string {
  return String(split.spec?.service ?? '').split('.')[0] ?? ''
}

type Part = Pick<RenderInput['spec'], 'security' | 'traffic'>

/** What the service asks nothing of is left to others. */
function asks(spec: RenderInput['spec'], wants: (part: Part) => boolean): boolean {
  return [spec, ...(spec.overrides ?? [])].some((part) => wants(part as Part))
}

/** Do two splits divide the same Service, or two settings mean the same host? */
export function sameClaim(one: KubeObject, other: KubeObject): boolean {
  return rootOf(one) === rootOf(other) && one.spec?.host === other.spec?.host
}
