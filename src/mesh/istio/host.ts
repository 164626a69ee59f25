import { digest } from '../../model/digest.ts'
import { fail } from '../../model/failure.ts'
import type { KubeMetadata, KubeObject } from '../../model/kube.ts'
import type { HostRenderer, HostRenderInput, RoutedPath } from '../host-renderer.ts'
import { hostMetadata } from '../marks.ts'
import type { RenderResult } from '../provider.ts'
import { delegateRef, isDelegate } from './exposed-routes.ts'
import { hostRivals, httpPort, httpsPort } from './host-rivals.ts'
import { GATEWAY, VIRTUAL_SERVICE } from './names.ts'
import { requestMatches } from './request-match.ts'
import { httpRoutes } from './route.ts'

/** One Gateway and one VirtualService for a host; the latter hands each path on to the service that holds it. */
export const istioHosts: HostRenderer = {
  kinds: [GATEWAY, VIRTUAL_SERVICE],
  render: renderHost,
  routeOf: delegateRef,
  isRoute: isDelegate,
  namingKind: VIRTUAL_SERVICE,
  names: (object, route) =>
    httpRoutes(object).some(({ delegate }) => {
      const { name, namespace = object.metadata.namespace } = (delegate ?? {}) as { name?: string; namespace?: string }
      return name === route.name && namespace === route.namespace
    }),
  conflictKinds: [GATEWAY, VIRTUAL_SERVICE],
  rivals: hostRivals,
}

function renderHost(input: HostRenderInput): RenderResult {
  if (!input.place.selector) {
    const detail = `Gateway ${input.gateway} has no selector in mesh.gateways of the cluster: Istio knows gateways by labels.`
    return fail('UnsupportedFeature', detail)
  }
  const objects = [gateway(input), ...(input.routes.length === 0 ? [] : [virtualService(input)])]
  return { ok: true, steps: objects.map((object) => ({ object, barriers: [] })) }
}

function gateway(input: HostRenderInput): KubeObject {
  const { host, place, tlsSecret, redirectHttp } = input
  const hosts = [host]
  const http = { number: httpPort(place), name: 'http', protocol: 'HTTP' }
  const https = { number: httpsPort(place), name: 'https', protocol: 'HTTPS' }
  const servers =
    tlsSecret === undefined
      ? [{ port: http, hosts }]
      : [
          { port: https, hosts, tls: { mode: 'SIMPLE', credentialName: tlsSecret } },
          ...(redirectHttp ? [{ port: http, hosts, tls: { httpsRedirect: true } }] : []),
        ]
  return { ...GATEWAY, metadata: metadata(input), spec: { selector: place.selector, servers } }
}

function virtualService(input: HostRenderInput): KubeObject {
  const { host, place, routes } = input
  const http = routes.toSorted(longestFirst).map((route) => {
    const { name, namespace } = delegateRef(route)
    // Without a match where all is meant: Istio would drop routes of the service whose paths are patterns.
    const match = route.path === '/' ? {} : { match: requestMatches([{ path: { prefix: route.path } }], undefined) }
    return { ...match, delegate: { name, namespace } }
  })
  const gateways = [`${place.namespace}/${objectName(input)}`]
  return { ...VIRTUAL_SERVICE, metadata: metadata(input), spec: { hosts: [host], gateways, http } }
}

/** The longest first, for Istio takes the first that fits. */
function longestFirst(a: RoutedPath, b: RoutedPath): number {
  return b.path.length - a.path.length || (a.path < b.path ? -1 : 1)
}

function metadata(input: HostRenderInput): KubeMetadata {
  const { gateway, host, renderRevision, place } = input
  return hostMetadata({ gateway, host, renderRevision, namespace: place.namespace, name: objectName(input) })
}

const MOST_NAME = 253

/** `external.web.example.com`. Gateways of one namespace share it, so their name stands first; it has no dot. */
export function objectName({ gateway, host }: Pick<HostRenderInput, 'gateway' | 'host'>): string {
  const hash = digest(host)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, 10)
  const name = host.startsWith('*.') ? `${gateway}.any-${hash}${host.slice(1)}` : `${gateway}.${host}`
  return name.length <= MOST_NAME ? name : `${gateway}.${hash}`
}
