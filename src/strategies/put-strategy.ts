import { withReadyQueries } from '../mesh/ready-gates.ts'
import type { StrategyDocument } from '../model/documents.ts'
import { fail, type Result } from '../model/failure.ts'
import type { GateSpec } from '../model/gate.ts'
import type { RequestContext } from '../model/request.ts'
import type { StrategySpec } from '../model/strategy.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import type { PutOutcome } from '../ports/put-document.ts'
import { putPlainDocument } from '../ports/put-plain-document.ts'
import { queryProblems } from '../ports/query-problems.ts'
import type { Store } from '../ports/store.ts'
import { windowsProblem } from '../ports/window-state.ts'

/**
 * Keeps named steps and gates for rollouts that start later; live ones keep theirs. A window that never opens is refused,
 * and a gate whose queries no cluster could be asked.
 */
export async function putStrategy(
  deps: { readonly store: Store; readonly clock: Clock; readonly metrics: Pick<MetricsSources, 'queryProblem'> },
  name: string,
  spec: StrategySpec,
  context: RequestContext,
): Promise<Result<PutOutcome<StrategyDocument>>> {
  const failure = windowsProblem(spec.windows)
  if (failure) return { ok: false, failure }
  const errors = await gateErrors(deps.metrics, spec.gates)
  if (errors.length > 0) return fail('InvalidCombination', 'The query of a gate cannot be asked.', { errors })
  return putPlainDocument(deps, 'strategy', name, spec, context)
}

async function gateErrors(metrics: Pick<MetricsSources, 'queryProblem'>, gates: readonly GateSpec[]) {
  const unready = gates.flatMap((gate, index) => {
    const ready = gate.kind === 'counts' ? withReadyQueries(gate) : gate
    return 'field' in ready ? [{ gate: index, ...ready }] : []
  })
  const problems = [...unready, ...(await queryProblems(metrics, gates))]
  return problems.map(({ gate, field, reason }) => ({ pointer: `/gates/${gate}/${field}`, reason }))
}
