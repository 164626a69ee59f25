import { PROVIDERS, type ProviderName } from '../model/cluster.ts'
import { type Failure, type FailureCode, fail } from '../model/failure.ts'
import type { ServiceSpec } from '../model/service.ts'

/** What a service can ask of a mesh, by the field that asks for it. */
export const FEATURES = [
  'versions',
  'ports.http',
  'ports.http2',
  'ports.grpc',
  'hosts',
  'traffic.weights',
  'traffic.timeout',
  'traffic.retries.attempts',
  'traffic.retries.perTryTimeout',
  'rollouts.canary',
  'gates.errors',
  'gates.latency',
] as const
export type Feature = (typeof FEATURES)[number]

/** What a provider makes of a feature. `nearest` is what comes closest and can be had. */
export type Capability =
  | { readonly support: 'supported' }
  | { readonly support: 'conditional'; readonly condition: string }
  | { readonly support: 'refused'; readonly code: FailureCode; readonly reason: string; readonly nearest: string }

const SUPPORTED: Capability = { support: 'supported' }

const ISTIO: Readonly<Record<Feature, Capability>> = {
  versions: {
    support: 'conditional',
    condition: 'Weights hold for callers with a sidecar; callers outside the mesh reach all versions.',
  },
  'ports.http': SUPPORTED,
  'ports.http2': SUPPORTED,
  'ports.grpc': SUPPORTED,
  hosts: { support: 'conditional', condition: 'Callers must be able to resolve the name; Meshwright sets no DNS.' },
  'traffic.weights': SUPPORTED,
  'traffic.timeout': SUPPORTED,
  'traffic.retries.attempts': SUPPORTED,
  'traffic.retries.perTryTimeout': SUPPORTED,
  'rollouts.canary': SUPPORTED,
  'gates.errors': {
    support: 'conditional',
    condition: 'Istio telemetry of the destination must reach the metrics source of the cluster.',
  },
  'gates.latency': {
    support: 'conditional',
    condition: 'As gates.errors; overMs must be an edge of the histogram istio_request_duration_milliseconds.',
  },
}

/** By provider and feature; what GET /capabilities shows and what refusals quote. */
export const CAPABILITIES: Readonly<Record<ProviderName, Readonly<Record<Feature, Capability>>>> = {
  istio: ISTIO,
  linkerd: comesLater('linkerd'),
  consul: comesLater('consul'),
  osm: comesLater('osm'),
  'gateway-api': comesLater('gateway-api'),
}

/** Providers that this version can render for. */
export const BUILT_PROVIDERS: readonly ProviderName[] = PROVIDERS.filter(
  (name) => CAPABILITIES[name].versions.support !== 'refused',
)

function comesLater(provider: ProviderName): Readonly<Record<Feature, Capability>> {
  const capability: Capability = {
    support: 'refused',
    code: 'NotBuilt',
    reason: `The provider ${provider} is not built yet; it comes later.`,
    nearest: 'Clusters with the provider istio take it today.',
  }
  return Object.fromEntries(FEATURES.map((feature) => [feature, capability])) as Record<Feature, Capability>
}

/** The features that a service uses, each with a JSON pointer to the field that asks for it. */
export function featuresOf(spec: ServiceSpec): readonly { readonly feature: Feature; readonly pointer: string }[] {
  const { traffic } = spec
  return [
    { feature: 'versions', pointer: '/versions' },
    ...spec.ports.map((port, index) => ({
      feature: `ports.${port.protocol}` as const,
      pointer: `/ports/${index}/protocol`,
    })),
    ...(spec.hosts?.length ? [{ feature: 'hosts', pointer: '/hosts' } as const] : []),
    ...(traffic?.weights ? [{ feature: 'traffic.weights', pointer: '/traffic/weights' } as const] : []),
    ...(traffic?.timeout ? [{ feature: 'traffic.timeout', pointer: '/traffic/timeout' } as const] : []),
    ...(traffic?.retries
      ? [{ feature: 'traffic.retries.attempts', pointer: '/traffic/retries/attempts' } as const]
      : []),
    ...(traffic?.retries?.perTryTimeout
      ? [{ feature: 'traffic.retries.perTryTimeout', pointer: '/traffic/retries/perTryTimeout' } as const]
      : []),
  ]
}

/** The refusal of a service by a provider, with every field that stands in the way; undefined when it takes it whole. */
export function refusalOf(provider: ProviderName, spec: ServiceSpec): Failure | undefined {
  const refused = featuresOf(spec).flatMap(({ feature, pointer }) => {
    const capability = CAPABILITIES[provider][feature]
    return capability.support === 'refused' ? [{ capability, pointer }] : []
  })
  const first = refused[0]?.capability
  if (!first) return undefined
  return fail(first.code, first.reason, {
    errors: refused.map(({ capability, pointer }) => ({ pointer, reason: capability.reason })),
    hint: first.nearest,
  }).failure
}
