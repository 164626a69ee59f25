import type { KubeObject } from '../../../../src/model/kube.ts'

const NETWORKING = 'networking.istio.io/v1'
const SECURITY = 'security.istio.io/v1'

type Fields = Readonly<Record<string, unknown>>

const object =
  (apiVersion: string, kind: string) =>
  (spec: Fields, more: Fields = {}): KubeObject => ({
    apiVersion,
    kind,
    metadata: { namespace: 'shop', name: 'reviews', ...more },
    spec,
  })

export const virtualService = object(NETWORKING, 'VirtualService')
export const destinationRule = object(NETWORKING, 'DestinationRule')
export const peerAuthentication = object(SECURITY, 'PeerAuthentication')
export const requestAuthentication = object(SECURITY, 'RequestAuthentication')
export const authorizationPolicy = object(SECURITY, 'AuthorizationPolicy')
export const sidecar = object(NETWORKING, 'Sidecar')
export const telemetry = object('telemetry.istio.io/v1', 'Telemetry')

/** Of the Service reviews. */
export const SELECTOR = { app: 'reviews' }
export const PODS = { selector: { matchLabels: SELECTOR } }

export function reviewsService(
  ports: readonly Fields[] = [{ name: 'http', port: 9080, targetPort: 9080 }],
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'reviews' },
    spec: { selector: SELECTOR, ports },
  }
}

/** Requests to a subset, all of them or a part. */
export function to(subset?: string, weight?: number, more: Fields = {}): Fields {
  return {
    destination: { host: 'reviews', ...(subset === undefined ? {} : { subset }) },
    ...(weight === undefined ? {} : { weight }),
    ...more,
  }
}

/** v1, v2 and v3 by their label. */
export const SUBSETS = ['v1', 'v2', 'v3'].map((name) => ({ name, labels: { version: name } }))
