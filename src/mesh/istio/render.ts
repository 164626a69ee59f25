import { type Failure, fail } from '../../model/failure.ts'
import { candidateProblem } from '../candidate-problem.ts'
import { refusalOf } from '../capabilities.ts'
import { policyProblem } from '../policy-problem.ts'
import type { Barrier, RenderInput, RenderResult } from '../provider.ts'
import { destinationRule } from './destination-rule.ts'
import { delegates, exposureProblems } from './exposed-routes.ts'
import { DESTINATION_RULE, refTo, SETTLE_MS } from './names.ts'
import { policySteps } from './policy-steps.ts'
import { trafficProblems } from './traffic-problems.ts'
import { virtualService } from './virtual-service.ts'
import { workloadProblems } from './workload-problems.ts'

/**
 * A DestinationRule with a subset a version, then VirtualServices that split between them, for the mesh and for gateways; about
 * them what else the policy asks for. What waits for nothing comes before what waits for it to settle, so that all of it takes one wait.
 */
export function renderIstio(input: RenderInput): RenderResult {
  const failure =
    policyProblem(input) ??
    refusalOf('istio', input.spec, input.policy, input.mesh) ??
    candidateProblem(input) ??
    combinationProblem(input)
  if (failure) return { ok: false, failure }
  const served = servedVersions(input)
  const settled: Barrier = { kind: 'settled', object: refTo(DESTINATION_RULE, input), durationMs: SETTLE_MS }
  const { early, late } = policySteps(input)
  return {
    ok: true,
    steps: [
      ...early,
      { object: destinationRule(input), barriers: [] },
      ...late,
      ...[virtualService(input), ...delegates(input)].map((object) => ({
        object,
        barriers: [settled, { kind: 'endpoints-ready', versions: served } as const],
      })),
    ],
  }
}

/** What each field allows by itself and Istio does not allow together. */
function combinationProblem(input: RenderInput): Failure | undefined {
  const problems = [...trafficProblems(input), ...workloadProblems(input), ...exposureProblems(input)]
  const [first] = problems
  if (!first) return undefined
  return fail('InvalidCombination', `Istio cannot be given this: ${first.pointer} ${first.reason}.`, {
    errors: problems,
  }).failure
}

/** Versions that get requests, copies included. */
function servedVersions({ weights, candidate }: RenderInput): readonly string[] {
  const served = Object.keys(weights).filter((version) => (weights[version] ?? 0) > 0)
  return [...new Set(candidate ? [...served, candidate.version] : served)].sort()
}
