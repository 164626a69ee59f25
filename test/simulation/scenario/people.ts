import { CLUSTER_ADMIN_TOKEN } from '../../../src/sandbox/emulated-cluster.ts'
import type { Simulation } from '../simulation.ts'
import { kubernetesHost } from '../surroundings.ts'
import type { ServiceName } from './setting.ts'

const ISTIO = 'networking.istio.io/v1'

/** What people and other tools do on a cluster, past Meshwright: `kubectl` with an administrator's token. */
export interface Hands {
  /** Moves weights in our VirtualService, as `kubectl edit` does. False when there is none. */
  moveWeights(cluster: string, service: ServiceName, first: number): Promise<boolean>
  /** Takes away the routes to a candidate that stand before those that split. */
  dropSideRoutes(cluster: string, service: ServiceName): Promise<boolean>
  removeRoute(cluster: string, service: ServiceName): Promise<boolean>
  /** Adds a field that Meshwright does not set. */
  addField(cluster: string, service: ServiceName): Promise<boolean>
  hold(cluster: string, what: 'namespace' | 'route', service: ServiceName, on: boolean): Promise<boolean>
  /** Another VirtualService for the same host. */
  rival(cluster: string, service: ServiceName, there: boolean): Promise<boolean>
}

export function createHands({ surroundings, trace }: Simulation): Hands {
  const call = async (cluster: string, method: string, path: string, type: string, body?: unknown) => {
    const kubernetes = surroundings.clusters.get(cluster)?.kubernetes
    if (!kubernetes) return false
    const url = new URL(`https://${kubernetesHost(cluster)}${path}`)
    const headers = { authorization: `Bearer ${CLUSTER_ADMIN_TOKEN}`, 'content-type': type }
    const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body))
    const { status } = await kubernetes.handle({ method, url, headers, body: bytes })
    trace.add(`hands ${cluster} ${method} ${path} ${JSON.stringify(body ?? '')} ${status}`)
    return status < 300
  }
  const merge = (cluster: string, path: string, body: unknown) =>
    call(cluster, 'PATCH', `${path}?fieldManager=kubectl-edit`, 'application/merge-patch+json', body)
  const routes = (namespace: string) => `/apis/${ISTIO}/namespaces/${namespace}/virtualservices`
  const route = ({ namespace, name }: ServiceName) => `${routes(namespace)}/${name}`
  const liveRoutes = (cluster: string, { namespace, name }: ServiceName): readonly Route[] => {
    const live = surroundings.clusters.get(cluster)?.kubernetes.get(ISTIO, 'VirtualService', namespace, name)
    return (live?.spec as { readonly http?: readonly Route[] } | undefined)?.http ?? []
  }
  return {
    async moveWeights(cluster, service, first) {
      const http = liveRoutes(cluster, service)
      const splits = http.filter((one) => !isSide(one))
      if (splits.length === 0 || splits.some((one) => one.route.length !== 2)) return false
      const moved = http.map((one) => (isSide(one) ? one : withFirst(one, first)))
      return merge(cluster, route(service), { spec: { http: moved } })
    },
    async dropSideRoutes(cluster, service) {
      const http = liveRoutes(cluster, service)
      if (!http.some(isSide)) return false
      return merge(cluster, route(service), { spec: { http: http.filter((one) => !isSide(one)) } })
    },
    removeRoute: (cluster, service) => call(cluster, 'DELETE', route(service), 'application/json'),
    addField: (cluster, service) => merge(cluster, route(service), { spec: { exportTo: ['*'] } }),
    hold(cluster, what, service, on) {
      const path = what === 'namespace' ? `/api/v1/namespaces/${service.namespace}` : route(service)
      return merge(cluster, path, { metadata: { annotations: { 'meshwright.io/hold': on ? 'true' : null } } })
    },
    rival(cluster, { namespace, name }, there) {
      const path = routes(namespace)
      if (!there) return call(cluster, 'DELETE', `${path}/${name}-by-hand`, 'application/json')
      const host = `${name}.${namespace}.svc.cluster.local`
      return call(cluster, 'POST', `${path}?fieldManager=kubectl-create`, 'application/json', {
        apiVersion: ISTIO,
        kind: 'VirtualService',
        metadata: { name: `${name}-by-hand`, namespace },
        spec: { hosts: [host], http: [{ route: [{ destination: { host } }] }] },
      })
    },
  }
}

interface Route {
  readonly name?: string
  readonly route: readonly { readonly weight?: number }[]
}

function isSide({ name = '' }: Route): boolean {
  return name.startsWith('candidate.')
}

function withFirst(one: Route, first: number): Route {
  return { ...one, route: one.route.map((part, index) => ({ ...part, weight: index === 0 ? first : 100 - first })) }
}
