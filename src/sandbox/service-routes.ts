import type { EmulatedCluster } from './emulated-cluster.ts'
import type { Emulator, EmulatorRequest } from './emulators/emulator.ts'
import { routeByHost } from './transports/wire.ts'

export interface RoutedServices {
  readonly entra: Emulator
  /** Emulators by the public host that they stand in for. */
  readonly azure: Readonly<Record<string, Emulator>>
  readonly control?: Emulator
  /** `/world/chat`: what the emulated chat services got. */
  readonly chat?: Emulator
  /** `/world/azure/CLUSTER`: what the emulated Azure says of a cluster. */
  readonly managedClusters?: Emulator
  /** `/world/linkerd/CLUSTER`: who trusts whom in a mesh of Linkerd. */
  readonly linkerd?: Emulator
  /** Receivers of webhooks. */
  readonly webhooks?: Emulator
  readonly clusters?: ReadonlyMap<string, EmulatedCluster>
}

/**
 * The sandbox's other services on one port: `/entra/…`, `/msi/token`, `/azure/HOST/…`, `/webhooks/NAME`, `/world/…`,
 * `/kubernetes/CLUSTER/…` and `/prometheus/CLUSTER/…`.
 * Each sees its own paths, without the prefix; what stands in for a public host sees that host, by HTTPS.
 */
export function serviceRoutes(services: RoutedServices): Emulator {
  const { entra, azure, control, chat, managedClusters, linkerd, webhooks, clusters } = services
  return async (request) => {
    const [, room = '', name = ''] = request.url.pathname.split('/')
    if (room === 'entra') return entra(below(request, '/entra'))
    if (room === 'msi') return entra(request)
    if (room === 'azure') return routeByHost(azure)(asPublic(request, name))
    if (room === 'webhooks' && webhooks) return webhooks(below(request, '/webhooks'))
    if (room === 'world' && name === 'chat' && chat) return chat(request)
    if (room === 'world' && name === 'azure' && managedClusters) return managedClusters(request)
    if (room === 'world' && name === 'linkerd' && linkerd) return linkerd(request)
    if (room === 'world' && control) return control(request)
    const cluster = clusters?.get(name)
    if (cluster && room === 'kubernetes') return cluster.api(below(request, `/kubernetes/${name}`))
    if (cluster && room === 'prometheus') return cluster.prometheus(below(request, `/prometheus/${name}`))
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'nothing here' }
  }
}

function asPublic(request: EmulatorRequest, host: string): EmulatorRequest {
  const { pathname, search } = below(request, `/azure/${host}`).url
  return { ...request, url: new URL(`https://${host}${pathname}${search}`) }
}

function below(request: EmulatorRequest, prefix: string): EmulatorRequest {
  const url = new URL(request.url)
  url.pathname = url.pathname.slice(prefix.length) || '/'
  return { ...request, url }
}
