import { canonicalJson } from '../../../model/digest.ts'
import { jsonPointer } from '../../../model/json-pointer.ts'
import { type KubeObject, refOf } from '../../../model/kube.ts'
import type { KubeService } from '../../read/kube-service.ts'
import type { Meaning, Statement } from '../../read/meaning.ts'
import {
  type Fields,
  fieldsOf,
  goDurationMs,
  isMap,
  listOf,
  neutralDuration,
  present,
  stringsOf,
} from '../../read/values.ts'

/** What a DestinationRule says of connections and endpoints, and its subsets by their labels. */
export function connectionsMeaning(service: KubeService, rule: KubeObject | undefined): Meaning {
  if (!rule) return {}
  const { host: _, subsets, trafficPolicy, exportTo, ...more } = rule.spec ?? {}
  const object = refOf(rule)
  const everywhere = exportTo === undefined || canonicalJson(exportTo) === '["*"]'
  const rest = { ...more, ...(everywhere ? {} : { exportTo }) }
  const leaves = (value: unknown, path: readonly string[]): readonly Statement[] =>
    leavesOf(value, path).map(({ path, value }) => ({
      key: path.join('.'),
      value: { [path.at(-1) ?? '']: value },
      at: { object, pointer: jsonPointer(['spec', ...path.slice(0, -1)]) },
    }))
  return {
    connections: { statements: leaves(trafficPolicy, ['trafficPolicy']) },
    subsets: { statements: listOf(subsets).flatMap((subset, index) => subsetStatement(service, rule, subset, index)) },
    'fields of the rule': { statements: leaves(rest, []) },
  }
}

/** A subset of all Pods says nothing that none would not say. */
function subsetStatement(
  { selector }: KubeService,
  rule: KubeObject,
  subset: Fields,
  index: number,
): readonly Statement[] {
  const { name: _, labels, ...more } = subset
  const own = fieldsOf(labels)
  const isAll = Object.keys(own).length === 0 || canonicalJson(own) === canonicalJson(selector)
  if (isAll && Object.keys(more).length === 0) return []
  return [{ key: canonicalJson(own), value: more, at: { object: refOf(rule), pointer: `/spec/subsets/${index}` } }]
}

interface Leaf {
  readonly path: readonly string[]
  readonly value: unknown
}

/** How many endpoints are left out at most where a rule does not say: Envoy's own per cents. */
const USUAL_EJECTION = 10

/** What holds too when nothing is said. */
const USUAL: Fields = { enabled: true, maxEjectionPercent: USUAL_EJECTION }

/**
 * Fields that hold no others, durations in milliseconds. What holds when nothing is said says nothing; but a map without fields says
 * that its defaults hold, and so do outliers without a count: those are leaves of their own.
 */
function leavesOf(value: unknown, path: readonly string[]): readonly Leaf[] {
  const field = path.at(-1)
  if (value === undefined || value === USUAL[field ?? '']) return []
  if (isMap(value) && path.length > 1) {
    const isDefault = Object.keys(value).length === 0
    const isUncounted = field === 'outlierDetection' && value.consecutive5xxErrors === undefined
    if (isDefault || isUncounted) return [{ path, value }]
  }
  if (!isMap(value)) return [{ path, value: goDurationMs(value) ?? value }]
  return Object.entries(value).flatMap(([field, inner]) => leavesOf(inner, [...path, field]))
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  ROUND_ROBIN: 'round-robin',
  LEAST_REQUEST: 'least-request',
  RANDOM: 'random',
}
const REGION = 'topology.kubernetes.io/region'
const ZONE = 'topology.kubernetes.io/zone'

/** The parts of `traffic` that a DestinationRule says. */
export function readConnections(rule: KubeObject | undefined): Fields {
  const { connectionPool, outlierDetection, loadBalancer } = fieldsOf(rule?.spec?.trafficPolicy)
  const { simple, consistentHash, localityLbSetting } = fieldsOf(loadBalancer)
  const connections = readPool(fieldsOf(connectionPool))
  return present({
    connections: Object.keys(connections).length === 0 ? undefined : connections,
    outliers: outlierDetection === undefined ? undefined : readOutliers(fieldsOf(outlierDetection)),
    loadBalancing: typeof simple === 'string' ? ALGORITHMS[simple] : undefined,
    affinity: consistentHash === undefined ? undefined : readHash(fieldsOf(consistentHash)),
    locality: localityLbSetting === undefined ? undefined : readLocality(fieldsOf(localityLbSetting)),
  })
}

function readPool(pool: Fields): Fields {
  const [tcp, http] = [fieldsOf(pool.tcp), fieldsOf(pool.http)]
  const idle = http.idleTimeout ?? tcp.idleTimeout
  return present({
    maxConnections: tcp.maxConnections,
    connectTimeout: tcp.connectTimeout === undefined ? undefined : neutralDuration(tcp.connectTimeout),
    maxPendingRequests: http.http1MaxPendingRequests,
    maxRequests: http.http2MaxRequests,
    maxRequestsPerConnection: http.maxRequestsPerConnection,
    idleTimeout: idle === undefined ? undefined : neutralDuration(idle),
  })
}

function readOutliers({
  consecutive5xxErrors,
  interval,
  baseEjectionTime,
  // Left out of a policy it would be ours.
  maxEjectionPercent = USUAL_EJECTION,
}: Fields): Fields | undefined {
  if (consecutive5xxErrors === undefined) return undefined
  return present({
    consecutiveErrors: consecutive5xxErrors,
    interval: interval === undefined ? undefined : neutralDuration(interval),
    ejectionTime: baseEjectionTime === undefined ? undefined : neutralDuration(baseEjectionTime),
    maxEjectionPercent,
  })
}

function readHash({ httpHeaderName, httpQueryParameterName, useSourceIp, httpCookie }: Fields): Fields | undefined {
  if (typeof httpHeaderName === 'string') return { header: httpHeaderName.toLowerCase() }
  if (httpQueryParameterName !== undefined) return { query: httpQueryParameterName }
  if (useSourceIp === true) return { sourceIp: true }
  const { name, ttl, path } = fieldsOf(httpCookie)
  // Without a ttl no cookie is set, and there are no words for that; with 0s it is one for the session.
  if (name === undefined || ttl === undefined) return undefined
  return { cookie: present({ name, ttl: goDurationMs(ttl) === 0 ? undefined : neutralDuration(ttl), path }) }
}

function readLocality({ failoverPriority }: Fields): Fields | undefined {
  const order = stringsOf(failoverPriority).join()
  if (order === [REGION, ZONE].join()) return { prefer: 'zone' }
  return order === REGION ? { prefer: 'region' } : undefined
}
