import { type GateSpec, sourceOf } from '../model/gate.ts'
import { escapePointer } from '../model/json-pointer.ts'
import type { Policy } from '../model/policy/policy.ts'
import type { ServiceSpec } from '../model/service.ts'
import type { StepSpec } from '../model/step.ts'

/**
 * What a service can ask of a mesh, by the field that asks for it: the path without indexes and keys. Where the value
 * itself makes the difference (`security.mtls.strict`), it is the last part. A field that stands here under no name of its
 * own belongs to the longest beginning that does.
 */
export const FEATURES = [
  'versions',
  'ports.http',
  'ports.http2',
  'ports.grpc',
  'ports.tcp',
  'hosts',
  'traffic.weights',
  'traffic.timeout',
  'traffic.retries.attempts',
  'traffic.retries.perTryTimeout',
  'traffic.retries.on',
  'traffic.retries.nonIdempotent',
  'traffic.routes',
  'traffic.routes.match.path.exact',
  'traffic.routes.match.path.prefix',
  'traffic.routes.match.path.regex',
  'traffic.routes.match.methods',
  'traffic.routes.match.headers.exact',
  'traffic.routes.match.headers.prefix',
  'traffic.routes.match.headers.regex',
  'traffic.routes.match.cookie',
  'traffic.routes.match.query.exact',
  'traffic.routes.match.query.prefix',
  'traffic.routes.match.query.regex',
  'traffic.routes.redirect',
  'traffic.routes.rewrite.path',
  'traffic.routes.rewrite.host',
  'traffic.routes.timeout',
  'traffic.routes.retries',
  'traffic.routes.fault',
  'traffic.routes.mirror',
  'traffic.fault.delay',
  'traffic.fault.abort',
  'traffic.mirror',
  'traffic.connections.maxConnections',
  'traffic.connections.connectTimeout',
  'traffic.connections.maxPendingRequests',
  'traffic.connections.maxRequests',
  'traffic.connections.maxRequestsPerConnection',
  'traffic.connections.idleTimeout',
  'traffic.outliers.consecutiveErrors',
  'traffic.outliers.interval',
  'traffic.outliers.ejectionTime',
  'traffic.outliers.maxEjectionPercent',
  'traffic.loadBalancing.round-robin',
  'traffic.loadBalancing.least-request',
  'traffic.loadBalancing.random',
  'traffic.affinity.header',
  'traffic.affinity.cookie',
  'traffic.affinity.query',
  'traffic.affinity.sourceIp',
  'traffic.locality',
  'traffic.rateLimit',
  'security.mtls.strict',
  'security.mtls.permissive',
  'security.mtls.disabled',
  'security.authentication',
  'security.authentication.required.false',
  'security.authorization.allow',
  'security.authorization.allow.serviceAccounts',
  'security.authorization.allow.namespaces',
  'security.authorization.allow.claims',
  'security.authorization.allow.methods',
  'security.authorization.allow.paths',
  'security.authorization.allow.ports',
  'security.authorization.deny',
  'exposure',
  'exposure.tls',
  'exposure.redirectHttp',
  'egress.unlisted.allow',
  'egress.unlisted.deny',
  'egress.hosts',
  'egress.hosts.originateTls',
  'telemetry.accessLog',
  'telemetry.tracing',
  'rollouts.canary',
  'rollouts.match',
  'rollouts.mirror',
  'rollouts.affinity',
  'gates.errors',
  'gates.latency',
] as const
export type Feature = (typeof FEATURES)[number]

export interface UsedFeature {
  readonly feature: Feature
  /** JSON pointer to the field that asks for it. */
  readonly pointer: string
}

const KNOWN: ReadonlySet<string> = new Set(FEATURES)
/** Fields whose keys are names that a user chose. */
const RECORDS: ReadonlySet<string> = new Set(['weights', 'headers', 'query', 'claims'])

/** The features that a service uses, each with a JSON pointer to the field that asks for it. */
export function featuresOf(spec: ServiceSpec, policy: Policy = spec): readonly UsedFeature[] {
  const { traffic, security, exposure, egress, telemetry } = policy
  return [
    { feature: 'versions', pointer: '/versions' },
    ...spec.ports.map((port, index) => ({
      feature: `ports.${port.protocol}` as const,
      pointer: `/ports/${index}/protocol`,
    })),
    ...(spec.hosts?.length ? [{ feature: 'hosts', pointer: '/hosts' } as const] : []),
    ...featuresIn({ traffic, security, exposure, egress, telemetry }),
  ]
}

/** The features of a part of a policy. Throws RangeError when a field belongs to none: then `FEATURES` lacks it. */
export function featuresIn(parts: Readonly<Record<string, unknown>>): readonly UsedFeature[] {
  const used = new Map<string, UsedFeature>()
  for (const leaf of leavesOf(parts, '', '')) {
    const feature = featureAt(leaf.path)
    if (feature === undefined) throw new RangeError(`no feature stands for ${leaf.path}`)
    const pointer = leaf.pointer
    used.set(`${feature} ${pointer}`, { feature, pointer })
  }
  return [...used.values()]
}

/** The longest beginning of a path that is a feature. */
export function featureAt(path: string): Feature | undefined {
  for (let name = path; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (KNOWN.has(name)) return name as Feature
  }
  return undefined
}

interface Leaf {
  readonly path: string
  readonly pointer: string
}

function leavesOf(value: unknown, path: string, pointer: string, isEntry = false): readonly Leaf[] {
  if (value === undefined) return []
  if (Array.isArray(value)) {
    const items = value.some((item) => typeof item === 'object')
    if (!items) return [{ path, pointer }]
    return value.flatMap((item, index) => leavesOf(item, path, `${pointer}/${index}`))
  }
  if (typeof value === 'object' && value !== null) {
    const isRecord = !isEntry && RECORDS.has(path.slice(path.lastIndexOf('.') + 1))
    if (isRecord && Object.values(value).every((item) => typeof item !== 'object' || Array.isArray(item)))
      return [{ path, pointer }]
    return Object.entries(value).flatMap(([key, field]) => {
      const name = isRecord ? path : `${path}${path === '' ? '' : '.'}${key}`
      return leavesOf(field, name, `${pointer}/${escapePointer(key)}`, isRecord)
    })
  }
  return [{ path: KNOWN.has(`${path}.${String(value)}`) ? `${path}.${String(value)}` : path, pointer }]
}

/** The features that a rollout's steps, affinity and gates on the mesh's own counts use, with pointers into its body; those of its waves too. */
export function rolloutFeatures(rollout: {
  readonly steps: readonly StepSpec[]
  readonly waves?: readonly { readonly steps?: readonly StepSpec[] | undefined }[] | undefined
  readonly affinity?: unknown
  readonly gates?: readonly GateSpec[] | undefined
}): readonly UsedFeature[] {
  const inWaves = (rollout.waves ?? []).flatMap(({ steps = [] }, index) => stepFeatures(steps, `/waves/${index}/steps`))
  return [
    ...stepFeatures(rollout.steps, '/steps'),
    ...inWaves,
    ...(rollout.affinity === undefined ? [] : [{ feature: 'rollouts.affinity', pointer: '/affinity' } as const]),
    ...(rollout.gates ?? []).flatMap(gateFeatures),
  ]
}

/** Gates with queries of their own, or on other sources, ask nothing of the mesh. */
function gateFeatures(gate: GateSpec, index: number): readonly UsedFeature[] {
  if ((gate.kind !== 'errors' && gate.kind !== 'latency') || sourceOf(gate) !== 'mesh') return []
  return [{ feature: `gates.${gate.kind}`, pointer: `/gates/${index}` }]
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
