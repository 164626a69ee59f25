import { PROVIDERS, type ProviderName } from '../model/cluster.ts'
import { type Failure, type FailureCode, fail } from '../model/failure.ts'
import type { ServiceSpec } from '../model/service.ts'
import type { StepSpec } from '../model/step.ts'

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
  'rollouts.match',
  'rollouts.mirror',
  'rollouts.affinity',
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
  'rollouts.match': SUPPORTED,
  'rollouts.mirror': {
    support: 'conditional',
    condition: 'The candidate sees copies with "-shadow" at the end of the host name; what it writes is written twice.',
  },
  'rollouts.affinity': {
    support: 'conditional',
    condition: 'Holds for clients that keep cookies and send them on; a gRPC client seldom does.',
  },
  'gates.errors': {
    support: 'conditional',
    condition: 'Istio telemetry of the destination must reach the metrics source of the cluster.',
  },
  'gates.latency': {
    support: 'conditional',
    condition: 'As gates.errors; overMs must be an edge of the histogram istio_request_duration_milliseconds.',
  },
}

function never(reason: string, nearest: string): Capability {
  return { support: 'refused', code: 'UnsupportedFeature', reason, nearest }
}

const NO_MIRROR = 'Start with a small weight instead of a mirror.'
const NO_AFFINITY = 'Let the application remember who gets what, or go without affinity.'

/** What a mesh has no means for, built or not. */
const BEYOND: Readonly<Partial<Record<ProviderName, Readonly<Partial<Record<Feature, Capability>>>>>> = {
  linkerd: {
    'rollouts.mirror': never('Linkerd drops a route with a mirror and yet calls it accepted.', NO_MIRROR),
    'rollouts.affinity': never('Linkerd keeps no client with a version.', NO_AFFINITY),
  },
  consul: { 'rollouts.mirror': never('Consul copies no requests.', NO_MIRROR) },
  osm: {
    'rollouts.match': never(
      'Open Service Mesh splits by weight alone.',
      'Use weights; or move the service to Istio, for Open Service Mesh retires on 2027-09-30.',
    ),
    'rollouts.mirror': never('Open Service Mesh copies no requests.', NO_MIRROR),
    'rollouts.affinity': never('Open Service Mesh keeps no client with a version.', NO_AFFINITY),
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
  const all = FEATURES.map((feature) => [feature, BEYOND[provider]?.[feature] ?? capability])
  return Object.fromEntries(all) as Record<Feature, Capability>
}

/** The features that a service uses, each with a JSON pointer to the field that asks for it. */
export function featuresOf(spec: ServiceSpec): readonly UsedFeature[] {
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

export interface UsedFeature {
  readonly feature: Feature
  /** JSON pointer to the field that asks for it. */
  readonly pointer: string
}

/** The features that a rollout's steps and affinity use, with pointers into its body; those of its waves too. */
export function rolloutFeatures(rollout: {
  readonly steps: readonly StepSpec[]
  readonly waves?: readonly { readonly steps?: readonly StepSpec[] | undefined }[] | undefined
  readonly affinity?: unknown
}): readonly UsedFeature[] {
  const inWaves = (rollout.waves ?? []).flatMap(({ steps = [] }, index) => stepFeatures(steps, `/waves/${index}/steps`))
  return [
    ...stepFeatures(rollout.steps, '/steps'),
    ...inWaves,
    ...(rollout.affinity === undefined ? [] : [{ feature: 'rollouts.affinity', pointer: '/affinity' } as const]),
  ]
}

function stepFeatures(steps: readonly StepSpec[], pointer: string): readonly UsedFeature[] {
  return steps.flatMap((step, index) =>
    (['match', 'mirror'] as const).flatMap((field) =>
      step[field] === undefined
        ? []
        : [{ feature: `rollouts.${field}` as const, pointer: `${pointer}/${index}/${field}` }],
    ),
  )
}

/** The refusal of a service by a provider, with every field that stands in the way; undefined when it takes it whole. */
export function refusalOf(provider: ProviderName, spec: ServiceSpec): Failure | undefined {
  return refusalOfFeatures(provider, featuresOf(spec))
}

/** The refusal of features by a provider, as `refusalOf`. */
export function refusalOfFeatures(provider: ProviderName, features: readonly UsedFeature[]): Failure | undefined {
  const refused = features.flatMap(({ feature, pointer }) => {
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
