import { ANCHORS_HASH, COMPONENT, CONTROL_PLANE_OF, type LinkerdEmulator } from './emulators/linkerd/linkerd.ts'
import { hashOf } from './emulators/linkerd/state.ts'
import type { Injector } from './world/injector.ts'

/** The edge release whose source the emulator follows. */
export const LINKERD_VERSION = 'edge-26.8.1'

/** Linkerd's webhook: the proxy as a native sidecar, and the hash of the anchors that it starts with. */
export function linkerdInjector(linkerd: () => Pick<LinkerdEmulator, 'injectedAnchors'>): Injector {
  return {
    wants({ metadata }, namespace) {
      const { labels, annotations } = metadata as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>
      if (labels?.[COMPONENT] !== undefined) return false
      const asked = annotations?.['linkerd.io/inject'] ?? namespace?.metadata.annotations?.['linkerd.io/inject']
      return asked === 'enabled' || asked === 'ingress'
    },
    inject(pod) {
      const { metadata, spec } = pod
      const proxy = {
        name: 'linkerd-proxy',
        image: `cr.l5d.io/linkerd/proxy:${LINKERD_VERSION}`,
        restartPolicy: 'Always',
      }
      const labels = {
        ...(metadata.labels as object | undefined),
        [CONTROL_PLANE_OF]: 'linkerd',
        'linkerd.io/workload-ns': metadata.namespace ?? '',
      }
      const annotations = {
        ...(metadata.annotations as object | undefined),
        'linkerd.io/created-by': `linkerd/proxy-injector ${LINKERD_VERSION}`,
        'linkerd.io/inject': 'enabled',
        'linkerd.io/proxy-version': LINKERD_VERSION,
        [ANCHORS_HASH]: hashOf(linkerd().injectedAnchors()),
      }
      return {
        ...pod,
        metadata: { ...metadata, labels, annotations },
        spec: { ...(spec as object | undefined), initContainers: [proxy] },
      }
    },
  }
}
