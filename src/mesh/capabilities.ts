import { type MeshFacts, PROVIDERS, type ProviderName } from '../model/cluster.ts'
import { type Failure, fail } from '../model/failure.ts'
import type { Policy } from '../model/policy/policy.ts'
import type { ServiceSpec } from '../model/service.ts'
import { type Capability, type CapabilityTable, never, type Refusal } from './capability.ts'
import { CONSUL_CAPABILITIES } from './consul/capabilities.ts'
import { FEATURES, type Feature, featuresOf, type UsedFeature } from './features.ts'
import { GATEWAY_API_CAPABILITIES } from './gateway-api/capabilities.ts'
import { ISTIO_CAPABILITIES } from './istio/capabilities.ts'
import { OSM_CAPABILITIES } from './osm/capabilities.ts'
import { isOlder } from './version.ts'

const NO_MIRROR = 'Start with a small weight instead of a mirror.'
const NO_AFFINITY = 'Let the application remember who gets what, or go without affinity.'

/** What a mesh has no means for, built or not. */
const BEYOND: Readonly<Partial<Record<ProviderName, Readonly<Partial<Record<Feature, Capability>>>>>> = {
  linkerd: {
    'rollouts.mirror': never('Linkerd drops a route with a mirror and yet calls it accepted.', NO_MIRROR),
    'rollouts.affinity': never('Linkerd keeps no client with a version.', NO_AFFINITY),
  },
}

/** By provider and feature; what GET /capabilities shows and what refusals quote. */
export const CAPABILITIES: Readonly<Record<ProviderName, CapabilityTable>> = {
  istio: ISTIO_CAPABILITIES,
  linkerd: comesLater('linkerd'),
  consul: CONSUL_CAPABILITIES,
  osm: OSM_CAPABILITIES,
  'gateway-api': GATEWAY_API_CAPABILITIES,
}

/** Providers that this version can render for. */
export const BUILT_PROVIDERS: readonly ProviderName[] = PROVIDERS.filter(
  (name) => CAPABILITIES[name].versions.support !== 'refused',
)

function comesLater(provider: ProviderName): CapabilityTable {
  const capability: Capability = {
    support: 'refused',
    code: 'NotBuilt',
    reason: `The provider ${provider} is not built yet; it comes later.`,
    nearest: 'Clusters with the provider istio take it today.',
  }
  const all = FEATURES.map((feature) => [feature, BEYOND[provider]?.[feature] ?? capability])
  return Object.fromEntries(all) as CapabilityTable
}

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
  const { gatewayApi, mesh: version } = capability.requires
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
