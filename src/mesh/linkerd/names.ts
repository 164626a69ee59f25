import type { KindRef } from '../../model/kube.ts'

export const POLICY_GROUP = 'policy.linkerd.io'
export const SERVER: KindRef = { apiVersion: `${POLICY_GROUP}/v1beta3`, kind: 'Server' }
export const AUTHORIZATION_POLICY: KindRef = { apiVersion: `${POLICY_GROUP}/v1alpha1`, kind: 'AuthorizationPolicy' }
export const MESH_TLS: KindRef = { apiVersion: `${POLICY_GROUP}/v1alpha1`, kind: 'MeshTLSAuthentication' }
export const NETWORK: KindRef = { apiVersion: `${POLICY_GROUP}/v1alpha1`, kind: 'NetworkAuthentication' }
export const RATE_LIMIT: KindRef = { apiVersion: `${POLICY_GROUP}/v1alpha1`, kind: 'HTTPLocalRateLimitPolicy' }
/** Linkerd's own kind of HTTPRoute, from before the Gateway API's. */
export const LEGACY_ROUTE: KindRef = { apiVersion: `${POLICY_GROUP}/v1beta3`, kind: 'HTTPRoute' }
export const SERVICE_PROFILE: KindRef = { apiVersion: 'linkerd.io/v1alpha2', kind: 'ServiceProfile' }

/** Who says whether a route is accepted. */
export const CONTROLLER = 'linkerd.io/policy-controller'
