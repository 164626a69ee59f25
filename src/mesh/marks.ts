import { hostKey } from '../model/host.ts'
import type { KubeMetadata, KubeObject } from '../model/kube.ts'
import { serviceKey } from '../model/service.ts'

/** The label that says whose an object is, and our name in it. Also our field manager's name. */
export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const MANAGER = 'meshwright'
/** Field manager of the annotation that restarts a workload: that field alone, so that no apply of the other takes it away. */
export const RESTARTER = 'meshwright-restart'
export const MANAGED_BY_US = `${MANAGED_BY}=${MANAGER}`
/** The fence: the render revision that wrote the object last. */
export const REVISION = 'meshwright.io/revision'
/** `shop/web`: the service that the object belongs to. */
export const SERVICE = 'meshwright.io/service'
/** `external/web.example.com`: the gateway and host that the object belongs to, where it belongs to no one service. */
export const HOST = 'meshwright.io/host'
/** `web-tls`: the certificate that the object carries, or helps to carry. */
export const CERTIFICATE = 'meshwright.io/certificate'
/** Key Vault's version of it, and its serial in lower-case hex. */
export const CERTIFICATE_VERSION = 'meshwright.io/certificate-version'
export const CERTIFICATE_SERIAL = 'meshwright.io/certificate-serial'
/** On a Deployment that Meshwright made: the rollout that asked for it, and the Deployment that it was copied from (`web-v1@7`). */
export const ROLLOUT = 'meshwright.io/rollout'
export const COPIED_FROM = 'meshwright.io/copied-from'
/** On a Deployment that was scaled to 0: the rollout after which it was. */
export const SCALED_DOWN = 'meshwright.io/scaled-down-after'
/** `"true"` on an object or a namespace stops all our writes there. */
export const HOLD = 'meshwright.io/hold'

/** Metadata of an object that we render for a service, in the service's namespace and under its name. */
export function markedMetadata(input: { namespace: string; name: string; renderRevision: number }): KubeMetadata {
  const { namespace, name, renderRevision } = input
  return {
    name,
    namespace,
    labels: { [MANAGED_BY]: MANAGER },
    annotations: { [REVISION]: String(renderRevision), [SERVICE]: serviceKey(namespace, name) },
  }
}

/** Metadata of an object that we render for a host, in the gateway's namespace. */
export function hostMetadata(input: {
  gateway: string
  host: string
  renderRevision: number
  namespace: string
  name: string
}): KubeMetadata {
  const { gateway, host, renderRevision, namespace, name } = input
  return {
    name,
    namespace,
    labels: { [MANAGED_BY]: MANAGER },
    annotations: { [REVISION]: String(renderRevision), [HOST]: hostKey(gateway, host) },
  }
}

/** The service or host that an object says it belongs to. */
export function ownerOf(metadata: KubeMetadata): string | undefined {
  return metadata.annotations?.[SERVICE] ?? metadata.annotations?.[HOST]
}

/** The render revision that an object carries; undefined when it carries none that can be read. */
export function revisionOf(object: KubeObject): number | undefined {
  const text = object.metadata.annotations?.[REVISION]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Does someone hold this object or namespace? */
export function isHeld(metadata: KubeMetadata | undefined): boolean {
  return metadata?.annotations?.[HOLD] === 'true'
}

/** Do label and annotation say that the object is ours, of this service or host? */
export function bearsMarks(metadata: KubeMetadata, owner: string): boolean {
  return metadata.labels?.[MANAGED_BY] === MANAGER && ownerOf(metadata) === owner
}
