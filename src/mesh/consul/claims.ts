import type { KubeObject } from '../../model/kube.ts'
import type { RenderInput } from '../provider.ts'
import { CONSUL_KINDS, isOfKind, SERVICE_INTENTIONS } from './names.ts'

type Service = Pick<RenderInput, 'namespace' | 'name' | 'spec'>

/**
 * Would this object decide, beside ours, where requests for the service go? The Community Edition has one namespace: the
 * same name in any namespace of Kubernetes is the same service, and the second object is not taken.
 */
export function claimsService(object: KubeObject, service: Service): boolean {
  if (isOfKind(object, SERVICE_INTENTIONS)) {
    const destination = object.spec?.destination as { readonly name?: unknown } | undefined
    return destination?.name === service.name && asksForAuthorization(service)
  }
  return object.metadata.name === service.name && CONSUL_KINDS.some((kind) => isOfKind(object, kind))
}

/** Who may call is left to others as long as the service does not say. */
function asksForAuthorization({ spec }: Service): boolean {
  return [spec, ...(spec.overrides ?? [])].some(({ security }) => security?.authorization !== undefined)
}
