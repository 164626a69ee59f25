import { fail, type Result, succeed } from '../model/failure.ts'
import { type GateSpec, gateKind, sourceOf } from '../model/gate.ts'
import type { RolloutRequest } from '../model/rollout.ts'
import { DEFAULT_STRATEGY, type StrategySpec } from '../model/strategy.ts'
import type { Store } from '../ports/store.ts'

export interface ResolvedStrategy {
  readonly name: string
  readonly spec: StrategySpec
  readonly warnings: readonly string[]
}

/** The strategy that a rollout asks for, with its own settings in place of the strategy's. */
export async function resolveStrategy(store: Store, request: RolloutRequest): Promise<Result<ResolvedStrategy>> {
  const name = request.strategy ?? 'default'
  const stored = (await store.read('strategy', name))?.value.spec
  const base = stored ?? (name === 'default' ? DEFAULT_STRATEGY : undefined)
  if (!base) {
    return fail('UnknownReference', `There is no strategy ${name}.`, {
      errors: [{ pointer: '/strategy', reason: `there is no strategy ${name}` }],
    })
  }
  const spec: StrategySpec = {
    steps: request.steps ?? base.steps,
    bake: request.bake ?? base.bake,
    gates: request.gates ?? base.gates,
    alpha: base.alpha,
    minEvents: request.minEvents ?? base.minEvents,
    patience: request.patience ?? base.patience,
    readyTimeout: request.readyTimeout ?? base.readyTimeout,
    onBlind: request.onBlind ?? base.onBlind,
  }
  return succeed({
    name,
    spec,
    warnings: weakerGates(base.gates, spec.gates).map((gate) => `${gate}: weaker than in strategy ${name}`),
  })
}

/** Gates of the strategy that the rollout left out or made weaker. */
function weakerGates(base: readonly GateSpec[], own: readonly GateSpec[]): readonly string[] {
  return base
    .filter((gate) => !own.some((other) => isAsStrict(other, gate)))
    .map((gate) => `gate ${gateKind(gate)} ≤ ${gate.limitPercent} %`)
}

function isAsStrict(own: GateSpec, base: GateSpec): boolean {
  if (own.kind !== base.kind || sourceOf(own) !== sourceOf(base) || own.limitPercent > base.limitPercent) return false
  return own.kind !== 'latency' || base.kind !== 'latency' || own.overMs <= base.overMs
}
