import { matchesLabels } from '../../model/active-freezes.ts'
import { canonicalJson } from '../../model/digest.ts'
import type { KubeObject } from '../../model/kube.ts'
import { isRoute } from '../http-route/names.ts'
import type { RenderInput } from '../provider.ts'
import { LEGACY_ROUTE, SERVER, SERVICE_PROFILE } from './names.ts'

type Service = Pick<RenderInput, 'namespace' | 'name' | 'spec'>

interface ParentRef {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  readonly port?: number
}

/**
 * Would this object decide, beside ours, where requests for the service go or who may call? Routes on its Service, in the
 * namespace of callers too, whose requests follow those; a ServiceProfile for it, which puts routes out of force; and,
 * where we write Servers, one for the same Pods and port, for the controller takes only one of them.
 */
export function claimsService(object: KubeObject, service: Service, own: readonly KubeObject[]): boolean {
  if (isRoute(object) || isKind(object, LEGACY_ROUTE)) return routeClaims(object, service)
  if (isKind(object, SERVICE_PROFILE))
    return object.metadata.name.startsWith(`${service.name}.${service.namespace}.svc.`)
  return isKind(object, SERVER) && own.some((ours) => isKind(ours, SERVER) && sharesPods(object, ours))
}

/** Routes claim what their parents take, Servers Pods and a port; the rest claims nothing. */
export function sameClaim(one: KubeObject, other: KubeObject): boolean {
  const claimed = ({ kind, spec }: KubeObject) => {
    const { parentRefs, podSelector, port } = spec ?? {}
    return canonicalJson(kind === SERVER.kind ? [podSelector, port] : parentRefs)
  }
  return one.kind === other.kind && (isKind(one, SERVER) || isRoute(one) ? claimed(one) === claimed(other) : true)
}

function isKind({ apiVersion, kind }: KubeObject, wanted: typeof SERVER): boolean {
  return kind === wanted.kind && apiVersion.split('/')[0] === wanted.apiVersion.split('/')[0]
}

function routeClaims({ spec, metadata }: KubeObject, { namespace, name, spec: { ports } }: Service): boolean {
  const parents = Array.isArray(spec?.parentRefs) ? (spec.parentRefs as ParentRef[]) : []
  return parents.some(
    (parent) =>
      parent.kind === 'Service' &&
      parent.name === name &&
      (parent.namespace ?? metadata.namespace) === namespace &&
      (parent.port === undefined || ports.some(({ port }) => port === parent.port)),
  )
}

interface ServerSpec {
  readonly podSelector?: {
    readonly matchLabels?: Readonly<Record<string, string>>
    readonly matchExpressions?: unknown[]
  }
  readonly port?: number | string
}

/** Selectors by expressions are taken to share Pods: nobody reads them here. */
function sharesPods(other: KubeObject, ours: KubeObject): boolean {
  if (other.metadata.namespace !== ours.metadata.namespace) return false
  const [a, b] = [other.spec, ours.spec] as [ServerSpec | undefined, ServerSpec | undefined]
  if (a?.port !== b?.port || !a?.podSelector) return false
  const [theirs, mine] = [a.podSelector.matchLabels ?? {}, b?.podSelector?.matchLabels ?? {}]
  return matchesLabels(mine, theirs) || matchesLabels(theirs, mine)
}
