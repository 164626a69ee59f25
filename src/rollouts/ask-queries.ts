import type { BlindReason } from '../judge/judge-gate.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { type CountsGate, queriesOf, type ValueGate } from '../model/gate.ts'
import { clusterLabel } from '../model/metrics.ts'
import { parseTemplate, type QueryNames, renderQuery } from '../model/query-template.ts'
import type { Counts } from '../model/rollout.ts'
import type { VersionSpec } from '../model/service.ts'
import type { MetricsSources, QuerySource, ValueSource } from '../ports/metrics.ts'
import { isPortError, type PortError } from '../ports/port-error.ts'
import type { CountedWindow, WindowCounts } from './count-window.ts'
import { NO_COUNTS, total } from './observations.ts'
import { versionLabels } from './version-label.ts'

/** What queries ask about on one cluster. */
export interface QueryCase {
  readonly source: ValueSource
  readonly service: { readonly namespace: string; readonly name: string }
  /** What metrics call the cluster. */
  readonly cluster: string
  /** By name of the version: what metrics call it. */
  readonly versions: Readonly<Record<string, string>>
  readonly stable: string
}

export interface QueriedCluster {
  readonly service: {
    readonly namespace: string
    readonly name: string
    readonly spec: { readonly versions: Readonly<Record<string, VersionSpec>> }
  }
  readonly target: { readonly stable: string; readonly candidate: string }
  readonly cluster: ClusterDocument
}

export interface Blind {
  readonly ok: false
  readonly reason: BlindReason
  readonly why: string
  /** What the source failed with. */
  readonly error?: PortError
}

export type Asked = { readonly ok: true; readonly value: number } | Blind

/** Who answers the queries of a cluster's gates, and what they are about; or why nobody can. */
export async function openQueries(
  metrics: MetricsSources,
  { service, target, cluster }: QueriedCluster,
  from: QuerySource,
): Promise<QueryCase | Blind> {
  const { stable, candidate } = target
  const labels = versionLabels(service.spec.versions, [stable, candidate])
  if (!labels) {
    const why = 'no Pod label "version" and no workload name tells the versions apart in metrics'
    return { ok: false, reason: 'NoData', why }
  }
  try {
    const source = await metrics.openValues(cluster, from)
    if (source) {
      return { source, service, cluster: clusterLabel(cluster.name, cluster.spec), versions: labels.values, stable }
    }
    const what = from === 'mesh' ? 'metrics source' : `metrics.${from}`
    return { ok: false, reason: 'NoData', why: `cluster ${cluster.name} names no ${what}` }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { ok: false, reason: 'QueryFailed', why: error.message, error }
  }
}

/** Counts a window for every version, by a gate's own queries. Anything but whole answers that fit together is blind. */
export async function countByQueries(asked: QueryCase, gate: CountsGate, window: CountedWindow): Promise<WindowCounts> {
  const byVersion: Record<string, Counts> = {}
  for (const version of Object.keys(asked.versions)) {
    const answers: [field: string, value: number | undefined][] = []
    for (const [field, query] of Object.entries(queriesOf(gate))) {
      const answer = await askQuery(asked, { query, from: gate.from, version }, window)
      if (!answer.ok && answer.reason !== 'NoData') return named(answer, field, version)
      answers.push([field, answer.ok ? answer.value : undefined])
    }
    const counts = countsOf(answers)
    if (typeof counts === 'string') return { ok: false, reason: 'NoData', why: `for ${version}, ${counts}` }
    byVersion[version] = counts
  }
  if (Object.values(byVersion).every((counts) => total(counts) === 0)) {
    const why = `the queries count nothing of ${Object.keys(byVersion).join(' and ')}: nothing tells silence from lost data`
    return { ok: false, reason: 'NoData', why }
  }
  return { ok: true, byVersion }
}

/** The value of a gate for one version. */
export async function askValue(
  asked: QueryCase,
  gate: ValueGate,
  version: string,
  window: CountedWindow,
): Promise<Asked> {
  const answer = await askQuery(asked, { query: gate.query, from: gate.from, version }, window)
  return answer.ok ? answer : named(answer, 'query', version)
}

function named(blind: Blind, field: string, version: string): Blind {
  return { ...blind, why: `${field} for ${version}: ${blind.why}` }
}

/** One query of a gate, about one version. */
export interface Question {
  readonly query: string
  readonly from: CountsGate['from']
  readonly version: string
}

/** The one number that a query gives. */
export async function askQuery(
  { source, service, cluster, versions, stable }: QueryCase,
  { query, from, version }: Question,
  { fromMs, toMs }: Pick<CountedWindow, 'fromMs' | 'toMs'>,
): Promise<Asked> {
  const parsed = parseTemplate(from === 'logs' ? 'kql' : 'promql', query)
  if (!parsed.ok) return { ok: false, reason: 'QueryFailed', why: parsed.problem.reason }
  const names: QueryNames = {
    service: service.name,
    namespace: service.namespace,
    cluster,
    version: versions[version] ?? version,
    stable: versions[stable] ?? stable,
    window: toMs - fromMs,
  }
  try {
    const [value, another] = await source.values(renderQuery(parsed.template, names), { fromMs, toMs })
    if (value === undefined) return { ok: false, reason: 'NoData', why: 'the answer is empty' }
    if (another !== undefined) return { ok: false, reason: 'QueryFailed', why: 'it gives several values, not one' }
    return Number.isFinite(value) ? { ok: true, value } : { ok: false, reason: 'NotANumber', why: `it gives ${value}` }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { ok: false, reason: 'QueryFailed', why: error.message, error }
  }
}

/** Two numbers of the same series, asked one after the other, may differ by what floats lose. */
const ROUNDING = 1e-6

/**
 * Good and bad of two answers, the first of which counts all or the good ones; or why they do not fit together. A version
 * without requests has no series yet, but where one answer counts some the other must not be empty: a name with a slip of
 * the pen would count as none for ever.
 */
function countsOf(answers: readonly (readonly [field: string, value: number | undefined])[]): Counts | string {
  const [[first, base] = ['all', undefined], [second, part] = ['bad', undefined]] = answers
  const wrong = answers.find(([, value]) => value !== undefined && value < 0)
  if (wrong) return `${wrong[0]} gives ${wrong[1]}`
  if (!base && !part) return NO_COUNTS
  const empty = base === undefined ? first : part === undefined ? second : undefined
  if (base === undefined || part === undefined) {
    const [counted, other] = base === undefined ? [second, part] : [first, base]
    return `${empty} gives nothing where ${counted} gives ${other}: where that is right it must give 0, as by "or vector(0)"`
  }
  if (first === 'good') return { good: base, bad: part }
  const rest = base - part
  if (rest < -ROUNDING * base) return `${second} gives ${part}, which is more than ${first} (${base})`
  return second === 'good' ? { good: part, bad: Math.max(0, rest) } : { good: Math.max(0, rest), bad: part }
}
