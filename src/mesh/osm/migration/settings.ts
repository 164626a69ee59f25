import { canonicalJson } from '../../../model/digest.ts'
import type { KubeObject } from '../../../model/kube.ts'
import { formatDuration } from '../../../model/names.ts'
import type { RetryReason, TrafficSpec } from '../../../model/policy/traffic.ts'
import type { Finding } from '../../lint/finding.ts'
import { hostOf } from '../names.ts'
import { type MeshSettings, type OsmObjects, specOf } from './objects.ts'
import { found } from './rules.ts'
import { type MeshService, objectOf } from './services.ts'

/** What of limits and retries a service takes along. */
export interface ReadTraffic {
  readonly traffic: Pick<TrafficSpec, 'connections' | 'retries'>
  readonly findings: readonly Finding[]
}

/** `leaves`: the Services that requests really go to: the backends of a split, or the service itself. */
export function trafficOf(
  service: MeshService,
  leaves: readonly MeshService[],
  objects: OsmObjects,
  mesh: MeshSettings,
): ReadTraffic {
  const limits = connectionsOf(service, leaves, objects)
  const retries = retriesOf(service, objects, mesh)
  return {
    traffic: {
      ...(limits.connections ? { connections: limits.connections } : {}),
      ...(retries.retries ? { retries: retries.retries } : {}),
    },
    findings: [...limits.findings, ...retries.findings],
  }
}

interface SettingSpec {
  readonly host?: string
  readonly connectionSettings?: {
    readonly tcp?: { readonly maxConnections?: number; readonly connectTimeout?: string }
    readonly http?: {
      readonly maxRequests?: number
      readonly maxRequestsPerConnection?: number
      readonly maxPendingRequests?: number
      readonly maxRetries?: number
    }
  }
  readonly rateLimit?: unknown
  readonly httpRoutes?: readonly unknown[]
}

type Connections = NonNullable<TrafficSpec['connections']>

function connectionsOf(
  service: MeshService,
  leaves: readonly MeshService[],
  objects: OsmObjects,
): { connections?: Connections; findings: readonly Finding[] } {
  const settingFor = ({ namespace, name }: MeshService) =>
    objects.trafficSettings.find((one) => specOf<SettingSpec>(one).host === hostOf(name, namespace))
  const hosts = new Map([service, ...leaves].map((one) => [one.name, settingFor(one)]))
  const findings = [...hosts.values()].flatMap((setting) => (setting ? lostOf(setting) : []))
  const limits = leaves.map((leaf) => {
    const setting = hosts.get(leaf.name)
    return setting ? limitsOf(specOf<SettingSpec>(setting)) : undefined
  })
  const [first] = limits
  if (limits.some((one) => canonicalJson(one) !== canonicalJson(first))) {
    const object = objectOf(service)
    return {
      findings: [...findings, found('LimitNotCarried', object, `The backends of ${object} have different limits.`)],
    }
  }
  return { ...(first ? { connections: first } : {}), findings }
}

function limitsOf({ connectionSettings }: SettingSpec): Connections | undefined {
  const { tcp, http } = connectionSettings ?? {}
  const connectMs = goDurationMs(tcp?.connectTimeout)
  const limits = {
    maxConnections: tcp?.maxConnections,
    connectTimeout: connectMs === undefined ? undefined : formatDuration(connectMs),
    maxRequests: http?.maxRequests,
    maxPendingRequests: http?.maxPendingRequests,
    maxRequestsPerConnection: http?.maxRequestsPerConnection,
  }
  // 0 is what stands for none in the mesh.
  const given = Object.entries(limits).filter(([, value]) => value !== undefined && value !== 0)
  return given.length === 0 ? undefined : (Object.fromEntries(given) as Connections)
}

/** What of a setting has no place in a service on Istio. */
function lostOf(setting: KubeObject): readonly Finding[] {
  const object = `UpstreamTrafficSetting ${setting.metadata.namespace}/${setting.metadata.name}`
  const { rateLimit, httpRoutes, connectionSettings } = specOf<SettingSpec>(setting)
  return [
    ...(rateLimit === undefined ? [] : ['rateLimit']),
    ...((httpRoutes ?? []).length === 0 ? [] : ['httpRoutes']),
    ...(connectionSettings?.http?.maxRetries === undefined ? [] : ['connectionSettings.http.maxRetries']),
  ].map((field) => found('LimitNotCarried', object, `${field} of ${object} has no place on Istio.`, { field }))
}

interface RetrySpec {
  readonly source?: { readonly name?: string; readonly namespace?: string }
  readonly destinations?: readonly { readonly kind?: string; readonly name?: string; readonly namespace?: string }[]
  readonly retryPolicy?: {
    readonly retryOn?: string
    readonly perTryTimeout?: string
    readonly numRetries?: number
    readonly retryBackoffBaseInterval?: string
  }
}

const REASONS: Readonly<Record<string, RetryReason>> = {
  '5xx': '5xx',
  'gateway-error': 'gateway-error',
  reset: 'reset',
  'connect-failure': 'connect-failure',
  'refused-stream': 'refused-stream',
  cancelled: 'grpc-cancelled',
  'deadline-exceeded': 'grpc-deadline-exceeded',
  'resource-exhausted': 'grpc-resource-exhausted',
  unavailable: 'grpc-unavailable',
}

/** Retries belong to callers there, and to the service here: they are carried where all that are said are the same. */
function retriesOf(
  service: MeshService,
  objects: OsmObjects,
  mesh: MeshSettings,
): { retries?: TrafficSpec['retries']; findings: readonly Finding[] } {
  const own = objects.retries.filter((retry) =>
    (specOf<RetrySpec>(retry).destinations ?? []).some(
      ({ kind, name, namespace }) => kind === 'Service' && name === service.name && namespace === service.namespace,
    ),
  )
  const [first] = own
  if (!first) return { findings: [] }
  const object = `Retry ${first.metadata.namespace}/${first.metadata.name}`
  if (!mesh.retryPolicy)
    return {
      findings: [found('NotInForce', object, `featureFlags.enableRetryPolicy is off, so ${object} does nothing.`)],
    }
  const policies = own.map((retry) => specOf<RetrySpec>(retry).retryPolicy)
  const lost = (reason: string) => ({ findings: [found('RetryNotCarried', object, `${object} ${reason}.`)] })
  if (policies.some((one) => canonicalJson(one) !== canonicalJson(policies[0])))
    return lost(`and others say different retries for ${objectOf(service)}`)
  const { retryOn = '', numRetries = 1, perTryTimeout, retryBackoffBaseInterval } = policies[0] ?? {}
  const reasons = retryOn.split(',').map((one) => REASONS[one.trim()])
  if (reasons.some((one) => one === undefined)) return lost(`says retryOn ${retryOn}`)
  if (numRetries < 0 || numRetries > 10) return lost(`says numRetries ${numRetries}`)
  const tryMs = goDurationMs(perTryTimeout)
  const object2 = objectOf(service)
  return {
    retries: {
      attempts: numRetries,
      ...(tryMs === undefined || tryMs < 1 ? {} : { perTryTimeout: formatDuration(tryMs) }),
      on: [...new Set(reasons as RetryReason[])],
      nonIdempotent: true,
    },
    findings: [
      found('RetryForAll', object, `What ${object} asks for its callers holds for all callers of ${object2}.`),
      ...(goDurationMs(retryBackoffBaseInterval) === undefined
        ? []
        : [found('RetryNotCarried', object, `retryBackoffBaseInterval of ${object} has no place in a service.`)]),
    ],
  }
}

const UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** A duration as Go writes it, `1m30s`, in whole milliseconds; undefined for none and for 0. */
export function goDurationMs(text: string | undefined): number | undefined {
  if (text === undefined || !/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  const ms = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS_MS[unit] ?? 0), 0)
  return Math.round(ms) === 0 ? undefined : Math.round(ms)
}
