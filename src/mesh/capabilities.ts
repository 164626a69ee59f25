import { type MeshFacts, PROVIDERS, type ProviderName } from '../model/cluster.ts'
import { type Failure, fail } from '../model/failure.ts'
import type { Policy } from '../model/policy/policy.ts'
import type { ServiceSpec } from '../model/service.ts'
import type { Capability, CapabilityTable, Refusal } from './capability.ts'
import { CONSUL_CAPABILITIES } from './consul/capabilities.ts'
import { featuresOf, type UsedFeature } from './features.ts'
import { GATEWAY_API_CAPABILITIES } from './gateway-api/capabilities.ts'
import { ISTIO_CAPABILITIES } from './istio/capabilities.ts'
import { LINKERD_CAPABILITIES } from './linkerd/capabilities.ts'
import { OSM_CAPABILITIES } from './osm/capabilities.ts'
import { isOlder } from './version.ts'

/** By provider and feature; what GET /capabilities shows and what refusals quote. */
export const CAPABILITIES: Readonly<Record<ProviderName, CapabilityTable>> = {
  istio: ISTIO_CAPABILITIES,
  linkerd: LINKERD_CAPABILITIES,
  consul: CONSUL_CAPABILITIES,
  osm: OSM_CAPABILITIES,
  'gateway-api': GATEWAY_API_CAPABILITIES,
}

/** Providers that this version can render for. */
export const BUILT_PROVIDERS: readonly ProviderName[] = PROVIDERS.filter(
  (name) => CAPABILITIES[name].versions.support !== 'refused',
)

/** The refusal of a service by a provider, with every field that stands in the way; undefined when it takes it whole. */
export function refusalOf(
  provider: ProviderName,
  spec: ServiceSpec,
  policy: Policy = spec,
  mesh?: MeshFacts,
): Failure | undefined {
  return refusalOfFeatures(provider, featuresOf(spec, policy), mesh)
}

/** The refusal of features by a provider, as `refusalOf`. `mesh`: also by what the cluster lacks. */
export function refusalOfFeatures(
  provider: ProviderName,
  features: readonly UsedFeature[],
  mesh?: MeshFacts,
): Failure | undefined {
  const refused = features.flatMap(({ feature, pointer }) => {
    const refusal = refusalBy(CAPABILITIES[provider][feature], mesh)
    return refusal ? [{ refusal, pointer }] : []
  })
  const first = refused[0]?.refusal
  if (!first) return undefined
  return fail(first.code, first.reason, {
    errors: refused.map(({ refusal, pointer }) => ({ pointer, reason: refusal.reason })),
    hint: first.nearest,
  }).failure
}

function refusalBy(capability: Capability, mesh: MeshFacts | undefined): Refusal | undefined {
  if (capability.support === 'refused') return capability
  if (capability.support === 'supported' || !capability.requires) return undefined
  const { gatewayApi, mesh: version, envoyFilters } = capability.requires
  if (envoyFilters && mesh && !mesh.envoyFilters) return NO_ENVOY_FILTERS
  const bundle = mesh?.gatewayApi?.bundle
  if (gatewayApi !== undefined && bundle !== undefined && isOlder(bundle, gatewayApi)) {
    const reason = `needs the Gateway API bundle ${gatewayApi} or newer; the cluster has ${bundle}`
    return { support: 'refused', code: 'UnsupportedFeature', reason, nearest: 'Leave it out, or update the cluster.' }
  }
  if (version !== undefined && mesh?.version !== undefined && isOlder(mesh.version, version)) {
    const reason = `needs version ${version} of the mesh or newer; the cluster has ${mesh.version}`
    return { support: 'refused', code: 'UnsupportedFeature', reason, nearest: 'Leave it out, or update the mesh.' }
  }
  return undefined
}

const NO_ENVOY_FILTERS: Refusal = {
  support: 'refused',
  code: 'UnsupportedFeature',
  reason: 'needs an EnvoyFilter, which AKS does not support and the cluster does not allow',
  nearest:
    'Set mesh.envoyFilters of the cluster to true, or bound what a Pod takes at a time: traffic.connections.maxRequests.',
}
