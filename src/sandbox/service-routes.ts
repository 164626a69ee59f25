import type { EmulatedCluster } from './emulated-cluster.ts'
import type { Emulator, EmulatorRequest } from './emulators/emulator.ts'

export interface RoutedServices {
  readonly entra: Emulator
  readonly control?: Emulator
  readonly clusters?: ReadonlyMap<string, EmulatedCluster>
}

/**
 * The sandbox's other services on one port: `/entra/…`, `/world/…`, `/kubernetes/CLUSTER/…` and `/prometheus/CLUSTER/…`.
 * Each sees its own paths, without the prefix.
 */
export function serviceRoutes({ entra, control, clusters }: RoutedServices): Emulator {
  return async (request) => {
    const [, room = '', name = ''] = request.url.pathname.split('/')
    if (room === 'entra') return entra(below(request, '/entra'))
    if (room === 'world' && control) return control(request)
    const cluster = clusters?.get(name)
    if (cluster && room === 'kubernetes') return cluster.api(below(request, `/kubernetes/${name}`))
    if (cluster && room === 'prometheus') return cluster.prometheus(below(request, `/prometheus/${name}`))
    return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'nothing here' }
  }
}

function below(request: EmulatorRequest, prefix: string): EmulatorRequest {
  const url = new URL(request.url)
  url.pathname = url.pathname.slice(prefix.length) || '/'
  return { ...request, url }
}
