import { definitionOf } from './custom-resources.ts'
import type { KubernetesObject } from './json.ts'

const networking = ['v1', 'v1beta1', 'v1alpha3']
const security = ['v1', 'v1beta1']

/** The CustomResourceDefinitions of Istio 1.30 that the sandbox's clusters carry, as objects to seed. */
export function istioDefinitions(): KubernetesObject[] {
  const labels = { app: 'istio-pilot', chart: 'istio', heritage: 'Tiller', release: 'istio' }
  const define = (room: string, versions: readonly string[], kind: string, plural: string, more = {}) =>
    definitionOf({
      group: `${room}.istio.io`,
      versions,
      kind,
      plural,
      labels,
      categories: ['istio-io', `${room}-istio-io`],
      ...more,
    })
  const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }
  const ports = { type: 'array', ...byName, items: { type: 'object' } }
  return [
    define('networking', networking, 'VirtualService', 'virtualservices', { shortNames: ['vs'] }),
    define('networking', networking, 'DestinationRule', 'destinationrules', { shortNames: ['dr'] }),
    define('networking', networking, 'ServiceEntry', 'serviceentries', {
      shortNames: ['se'],
      spec: { type: 'object', properties: { ports } },
    }),
    define('networking', networking, 'Gateway', 'gateways', { shortNames: ['gw'] }),
    define('networking', networking, 'Sidecar', 'sidecars'),
    define('networking', ['v1alpha3'], 'EnvoyFilter', 'envoyfilters'),
    define('security', security, 'PeerAuthentication', 'peerauthentications', { shortNames: ['pa'] }),
    define('security', security, 'AuthorizationPolicy', 'authorizationpolicies', { shortNames: ['ap'] }),
    define('security', security, 'RequestAuthentication', 'requestauthentications', { shortNames: ['ra'] }),
    define('telemetry', ['v1', 'v1alpha1'], 'Telemetry', 'telemetries', { shortNames: ['telemetry'] }),
  ]
}
