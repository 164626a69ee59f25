import { fail, type Result, succeed } from '../model/failure.ts'
import type { RolloutRequest } from '../model/rollout.ts'
import { BUILT_IN_STRATEGIES, type StrategySpec } from '../model/strategy.ts'
import type { Store } from '../ports/store.ts'
import { windowsProblem } from '../ports/window-state.ts'
import { keepGuardRails } from './guard-rails.ts'
import { resolveGates } from './ready-gates.ts'

export interface ResolvedStrategy {
  readonly name: string
  readonly spec: StrategySpec
  readonly warnings: readonly string[]
}

/**
 * The strategy that a rollout asks for, with its own settings in place of the strategy's where its guard rails allow it. A
 * retry was held to them at its first start, and comes with waves and queries as they were worked out then.
 */
export async function resolveStrategy(
  store: Store,
  request: RolloutRequest,
  isRetry = false,
): Promise<Result<ResolvedStrategy>> {
  const name = request.strategy ?? 'default'
  const stored = (await store.read('strategy', name))?.value.spec
  const base = stored ?? (Object.hasOwn(BUILT_IN_STRATEGIES, name) ? BUILT_IN_STRATEGIES[name] : undefined)
  if (!base) {
    return fail('UnknownReference', `There is no strategy ${name}.`, {
      errors: [{ pointer: '/strategy', reason: `there is no strategy ${name}` }],
    })
  }
  const spec = withOwn(base, request)
  const failure = windowsProblem(spec.windows)
  if (failure) return { ok: false, failure }
  const kept = keepGuardRails(name, isRetry ? unguarded(base) : base, spec)
  if (!kept.ok) return kept
  const gates = resolveGates(spec.gates, request.gates !== undefined)
  return gates.ok ? succeed({ name, spec: { ...spec, gates: [...gates.value] }, warnings: kept.value }) : gates
}

function withOwn(base: StrategySpec, request: RolloutRequest): StrategySpec {
  const [waves, affinity, windows] = [
    request.waves ?? base.waves,
    request.affinity ?? base.affinity,
    request.windows ?? base.windows,
  ]
  return {
    steps: request.steps ?? base.steps,
    ...(waves ? { waves } : {}),
    bake: request.bake ?? base.bake,
    gates: request.gates ?? base.gates,
    alpha: base.alpha,
    minEvents: request.minEvents ?? base.minEvents,
    patience: request.patience ?? base.patience,
    readyTimeout: request.readyTimeout ?? base.readyTimeout,
    onBlind: request.onBlind ?? base.onBlind,
    // What an older version stored lacks the newer fields.
    onHarm: request.onHarm ?? base.onHarm ?? 'rollback',
    ...(affinity ? { affinity } : {}),
    ...(windows ? { windows } : {}),
    separateDuties: base.separateDuties ?? true,
    ...(base.guardRails ? { guardRails: base.guardRails } : {}),
  }
}

function unguarded({ guardRails: _rails, ...base }: StrategySpec): StrategySpec {
  return base
}
