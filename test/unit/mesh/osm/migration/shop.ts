import { migrateOsm } from '../../../../../src/mesh/osm/migration/migrate.ts'
import type { OsmObjects } from '../../../../../src/mesh/osm/migration/objects.ts'
import { deployment, meshConfig, namespace, object, osmObjects, routeGroup, service, trafficTarget } from './demo.ts'

export const ALL = { kind: 'HTTPRouteGroup', name: 'all', matches: ['all'] }

/** One service shop/web with one Pod, called by shop/front, and what a row adds. */
export function shop(
  more: Partial<OsmObjects> = {},
  config = meshConfig(false, { traffic: { enableEgress: true } }),
): OsmObjects {
  const base = osmObjects({
    meshConfigs: [config],
    namespaces: [namespace('shop'), object('namespaces', undefined, 'other')],
    services: [service('shop', 'web', { app: 'web' }, [{ name: 'http', port: 80, targetPort: 8080 }])],
    deployments: [deployment('shop', 'web', { app: 'web' }, 'web')],
    trafficTargets: [trafficTarget('shop', 'front', 'web', ['shop/front'], [ALL])],
    routeGroups: [routeGroup('shop', 'all', [{ name: 'all' }])],
  })
  return {
    ...base,
    ...Object.fromEntries(Object.entries(more).map(([kind, list]) => [kind, [...base[kind as 'services'], ...list]])),
  }
}

export const codes = (objects: OsmObjects) => migrateOsm(objects).findings.map(({ code }) => code)
export const specOf = (objects: OsmObjects, name = 'web') =>
  migrateOsm(objects).services.find((one) => one.name === name)?.spec

export function split(root: string, weights: Readonly<Record<string, number>>, name = 'split') {
  const backends = Object.entries(weights).map(([service, weight]) => ({ service, weight }))
  return object('trafficSplits', 'shop', name, { spec: { service: `${root}.shop`, backends } })
}

export function setting(of: string, spec: object) {
  return object('trafficSettings', 'shop', of, { spec: { host: `${of}.shop.svc.cluster.local`, ...spec } })
}

export function retry(from: string, to: string, policy: object = {}) {
  const [of, name] = from.split('/')
  const retryPolicy = {
    retryOn: '5xx, connect-failure',
    perTryTimeout: '1s',
    numRetries: 3,
    retryBackoffBaseInterval: '50ms',
    ...policy,
  }
  return object('retries', 'shop', `${name}-${to}`, {
    spec: {
      source: { kind: 'ServiceAccount', name, namespace: of },
      destinations: [{ kind: 'Service', name: to, namespace: 'shop' }],
      retryPolicy,
    },
  })
}

export function egress(from: readonly string[], hosts: readonly string[], more: object = {}) {
  const sources = from.map((one) => {
    const [namespace, name] = one.split('/')
    return { kind: 'ServiceAccount', name, namespace }
  })
  const ports = [
    { number: 80, protocol: 'http' },
    { number: 443, protocol: 'https' },
  ]
  return object('egresses', 'shop', 'out', { spec: { sources, hosts, ports, ...more } })
}
