import type { ClusterDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { type GateSpec, gateText, hasQueries, type QueryGate, queriesOf, queryEvery } from '../model/gate.ts'
import { durationMs } from '../model/names.ts'
import { type StepSpec, stepText } from '../model/step.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { queryProblems } from '../ports/query-problems.ts'
import { askQuery, type Blind, openQueries, type QueriedCluster } from './ask-queries.ts'

/** Clusters whose sources are tried; the others are alike, as a rule, and a start must not last. */
const MOST_TRIED = 10

export interface QueryCheck {
  readonly service: QueriedCluster['service']
  readonly targets: readonly { readonly cluster: string; readonly stable: string; readonly candidate: string }[]
  readonly clusters: readonly ClusterDocument[]
  readonly gates: readonly GateSpec[]
  readonly steps: readonly StepSpec[]
  /** The gates are the request's own, not the strategy's. */
  readonly own: boolean
}

interface Deps {
  readonly clock: Clock
  readonly metrics: MetricsSources
}

/**
 * Can the queries of gates be asked? What their text tells is refused, and so is what a source says is no good query. The
 * value is warnings: every query is asked once for stable, and one that sees nothing now is told.
 */
export async function checkQueryGates(deps: Deps, check: QueryCheck): Promise<Result<readonly string[]>> {
  const [problem] = await queryProblems(deps.metrics, check.gates)
  if (problem) return refused(check, problem.gate, problem.field, problem.reason)
  const warnings = check.gates.flatMap((gate) => (hasQueries(gate) ? textWarnings(check, gate) : []))
  for (const cluster of check.clusters.slice(0, MOST_TRIED)) {
    for (const [index, gate] of check.gates.entries()) {
      if (!hasQueries(gate)) continue
      const tried = await tryGate(deps, check, cluster, gate)
      if (tried?.wrong) return refused(check, index, tried.field, `${cluster.name}: ${tried.why}`)
      if (tried) warnings.push(`gate ${gateText(gate)} is blind on ${cluster.name} now: ${tried.field}: ${tried.why}`)
    }
  }
  return succeed(warnings)
}

/** Steps that end before the gate looks, and clusters whose logs it cannot tell apart. */
function textWarnings({ steps, clusters }: QueryCheck, gate: QueryGate): readonly string[] {
  const every = queryEvery(gate)
  const short = steps.find((step) => step.for !== undefined && durationMs(step.for) < durationMs(every))
  const shared = gate.from === 'logs' && !Object.values(queriesOf(gate)).every(namesCluster) ? twins(clusters) : []
  return [
    ...(short ? [`step ${stepText(short)} is short for gate ${gateText(gate)}, which looks every ${every}`] : []),
    ...(shared.length > 0
      ? [`gate ${gateText(gate)} counts the same logs for ${shared.join(' and ')}: have {{cluster}} in its queries`]
      : []),
  ]
}

function namesCluster(query: string): boolean {
  return /\{\{\s*cluster\s*\}\}/.test(query)
}

/** Clusters that log to one place. */
function twins(clusters: readonly ClusterDocument[]): readonly string[] {
  const placeOf = ({ spec }: ClusterDocument) => spec.metrics?.logs?.workspaceId ?? spec.metrics?.logs?.resourceId
  return clusters
    .filter((one) => clusters.some((other) => other.name !== one.name && placeOf(other) === placeOf(one)))
    .map(({ name }) => name)
}

function refused({ gates, own }: QueryCheck, index: number, field: string, reason: string): Result<never> {
  const gate = gates[index]
  return fail('InvalidCombination', `The query of gate ${gate ? gateText(gate) : index} cannot be asked.`, {
    errors: [
      {
        pointer: own ? `/gates/${index}/${field}` : '/strategy',
        reason: own ? reason : `gate ${index}, ${field}: ${reason}`,
      },
    ],
    hint: 'See docs/metrics.md for what a query may hold.',
  })
}

interface Tried {
  readonly field: string
  readonly why: string
  /** The source says that it is no query that it could ever answer. */
  readonly wrong: boolean
}

/** Asks each query of a gate once, for stable; undefined when all of them see. */
async function tryGate(
  { clock, metrics }: Deps,
  { service, targets }: QueryCheck,
  cluster: ClusterDocument,
  gate: QueryGate,
): Promise<Tried | undefined> {
  const target = targets.find((one) => one.cluster === cluster.name)
  if (!target) return undefined
  const from = gate.from ?? 'mesh'
  const asked = await openQueries(metrics, { service, target, cluster }, from)
  // What is not there is told for all gates of the cluster together.
  if ('ok' in asked) return undefined
  const toMs = clock.now() - metrics.timing(cluster.spec, from).delayMs
  const window = { fromMs: toMs - durationMs(queryEvery(gate)), toMs }
  for (const [field, query] of Object.entries(queriesOf(gate))) {
    const answer = await askQuery(asked, { query, from: gate.from, version: target.stable }, window)
    if (!answer.ok) return { field, why: answer.why, wrong: isWrong(answer) }
  }
  return undefined
}

/** Would the source refuse it ever again? */
function isWrong({ error }: Blind): boolean {
  return error?.kind === 'invalid' && error.reason !== 'NotPrometheus'
}
