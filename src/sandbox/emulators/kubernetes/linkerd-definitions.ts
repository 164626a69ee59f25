import { definitionOf } from './custom-resources.ts'
import type { KubernetesObject } from './json.ts'

const KINDS: readonly (readonly [group: string, version: string, kind: string, plural: string])[] = [
  ['policy.linkerd.io', 'v1beta3', 'Server', 'servers'],
  ['policy.linkerd.io', 'v1alpha1', 'AuthorizationPolicy', 'authorizationpolicies'],
  ['policy.linkerd.io', 'v1alpha1', 'MeshTLSAuthentication', 'meshtlsauthentications'],
  ['policy.linkerd.io', 'v1alpha1', 'NetworkAuthentication', 'networkauthentications'],
  ['policy.linkerd.io', 'v1alpha1', 'EgressNetwork', 'egressnetworks'],
  ['policy.linkerd.io', 'v1alpha1', 'HTTPLocalRateLimitPolicy', 'httplocalratelimitpolicies'],
  ['policy.linkerd.io', 'v1beta3', 'HTTPRoute', 'httproutes'],
  ['linkerd.io', 'v1alpha2', 'ServiceProfile', 'serviceprofiles'],
]

/** The CustomResourceDefinitions of Linkerd 2.20 that services are written with, besides those of the Gateway API, as objects to seed. */
export function linkerdDefinitions(): KubernetesObject[] {
  return KINDS.map(([group, version, kind, plural]) => definitionOf({ group, versions: [version], kind, plural }))
}
