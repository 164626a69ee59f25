import { type GateSpec, hasQueries, type QueryGate, queriesOf } from '../model/gate.ts'
import { parseTemplate, placeholdersOf, type QueryProblem } from '../model/query-template.ts'
import type { MetricsSources, QuerySource } from './metrics.ts'

/** What is wrong with a query of a gate: which gate by its index, and which of its fields. */
export interface GateProblem {
  readonly gate: number
  readonly field: string
  readonly reason: string
}

/** What is wrong with the queries of gates, as far as their text tells. */
export async function queryProblems(
  metrics: Pick<MetricsSources, 'queryProblem'>,
  gates: readonly GateSpec[],
): Promise<readonly GateProblem[]> {
  const problems: GateProblem[] = []
  for (const [index, gate] of gates.entries()) {
    if (!hasQueries(gate)) continue
    for (const [field, query] of Object.entries(queriesOf(gate))) {
      const reason = await problemOf(metrics, gate, query)
      if (reason !== undefined) problems.push({ gate: index, field, reason })
    }
  }
  return problems
}

async function problemOf(
  metrics: Pick<MetricsSources, 'queryProblem'>,
  gate: QueryGate,
  query: string,
): Promise<string | undefined> {
  const from: QuerySource = gate.from ?? 'mesh'
  const parsed = parseTemplate(from === 'mesh' ? 'promql' : 'kql', query)
  if (!parsed.ok) return at(query, parsed.problem)
  const problem = await metrics.queryProblem(from, withSampleWindow(query))
  if (problem) return at(query, problem)
  if (gate.kind === 'value') return undefined
  const held = placeholdersOf(parsed.template)
  if (!held.has('version')) return 'must hold {{version}}: without it every version counts the same'
  if (from === 'mesh' && !held.has('window'))
    return 'must hold {{window}}: it is to count what came since the last look'
  return undefined
}

/** A length of time in the place of each `{{window}}`, as long as it was: what is found stands where it stood. */
function withSampleWindow(query: string): string {
  return query.replace(/\{\{\s*window\s*\}\}/g, (whole) => '1s'.padStart(whole.length, '0'))
}

/** `1:17 …`: line and column. */
function at(query: string, { offset, reason }: QueryProblem): string {
  const before = query.slice(0, offset).split('\n')
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1} ${reason}`
}
