import { definitionOf } from './custom-resources.ts'
import type { KubernetesObject } from './json.ts'

const networking = ['v1', 'v1beta1', 'v1alpha3']
const security = ['v1', 'v1beta1']
const listMap = (key: string) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] })

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
  const ports = { type: 'array', ...listMap('name'), items: { type: 'object' } }
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
  ]
}

/** The CustomResourceDefinitions of the Gateway API's standard channel; `bundleVersion` for example `v1.5.1`. */
export function gatewayApiDefinitions(bundleVersion: string): KubernetesObject[] {
  const annotations = {
    'gateway.networking.k8s.io/bundle-version': bundleVersion,
    'gateway.networking.k8s.io/channel': 'standard',
  }
  const define = (kind: string, plural: string, more = {}) =>
    definitionOf({
      group: 'gateway.networking.k8s.io',
      versions: ['v1', 'v1beta1'],
      kind,
      plural,
      annotations,
      categories: ['gateway-api'],
      ...more,
    })
  const listeners = { type: 'array', ...listMap('name'), items: { type: 'object' } }
  return [
    define('GatewayClass', 'gatewayclasses', { namespaced: false, shortNames: ['gc'] }),
    define('Gateway', 'gateways', { shortNames: ['gtw'], spec: { type: 'object', properties: { listeners } } }),
    define('HTTPRoute', 'httproutes'),
    define('GRPCRoute', 'grpcroutes', { versions: ['v1'] }),
    define('ReferenceGrant', 'referencegrants', { versions: ['v1beta1'], shortNames: ['refgrant'] }),
  ]
}
