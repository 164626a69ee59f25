import { canonicalJson } from '../model/digest.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import { type GateSpec, gateKind, gateText } from '../model/gate.ts'
import { durationMs } from '../model/names.ts'
import { quorumOf, type StepSpec, stepKind, trafficAt } from '../model/step.ts'
import type { GuardRails, StrategySpec } from '../model/strategy.ts'
import { isAsStrict } from './gate-strictness.ts'

interface Broken {
  readonly pointer: string
  readonly reason: string
}

/**
 * Does a rollout keep to what its strategy does not let it depart from? `own` is what the rollout comes to, its own fields
 * in place of the strategy's. The failure `GuardRail` names every field and rule; the value is gates that are weaker than
 * the strategy's where it allows that.
 */
export function keepGuardRails(name: string, strategy: StrategySpec, own: StrategySpec): Result<readonly string[]> {
  const weaker = weakerGates(strategy.gates, own.gates)
  const { guardRails } = strategy
  if (!guardRails) return succeed(weaker.map((gate) => `${gate}: weaker than in strategy ${name}`))
  const broken: Broken[] = []
  if (guardRails.gates) {
    broken.push(...weaker.map((gate) => ({ pointer: '/gates', reason: `${gate} is left out, or is weaker here` })))
    broken.push(...weakerJudging(strategy, own))
  }
  for (const field of ['waves', 'windows'] as const) {
    if (guardRails[field] && canonicalJson(own[field] ?? null) !== canonicalJson(strategy[field] ?? null)) {
      broken.push({ pointer: `/${field}`, reason: 'must be those of the strategy: leave the field out' })
    }
  }
  const { leastBake } = guardRails
  if (leastBake !== undefined && durationMs(own.bake) < durationMs(leastBake)) {
    broken.push({ pointer: '/bake', reason: `must be ${leastBake} at least` })
  }
  const quorum = Math.max(1, ...stepLists(strategy).flatMap(([, steps]) => steps.map(quorumOf)))
  for (const [pointer, steps] of stepLists(own)) broken.push(...brokenSteps(pointer, steps, guardRails, quorum))
  if (broken.length === 0) return succeed(weaker.map((gate) => `${gate}: weaker than in strategy ${name}`))
  return fail('GuardRail', `Strategy ${name} does not allow it: ${broken.map(({ reason }) => reason).join('; ')}.`, {
    errors: broken,
  })
}

function stepLists({ steps, waves }: StrategySpec): readonly (readonly [string, readonly StepSpec[]])[] {
  const own = (waves ?? []).flatMap((wave, index) =>
    wave.steps ? [[`/waves/${index}/steps`, wave.steps] as const] : [],
  )
  return [['/steps', steps], ...own]
}

function brokenSteps(
  pointer: string,
  steps: readonly StepSpec[],
  { approval, mostRise, leastFor }: GuardRails,
  quorum: number,
): readonly Broken[] {
  const broken: Broken[] = []
  if (approval && !steps.some((step) => quorumOf(step) >= quorum && step.onTimeout !== 'proceed')) {
    const by = quorum === 1 ? 'approval' : `approval by ${quorum}`
    broken.push({ pointer, reason: `one step at least must ask for ${by}, and not go on without it` })
  }
  const last = trafficAt(steps, steps.length - 1).weight
  if (mostRise !== undefined && last > 0 && 100 - last > mostRise) {
    broken.push({
      pointer,
      reason: `the last step must leave ${mostRise} % at most to the promotion, not ${100 - last} %`,
    })
  }
  for (const [index, step] of steps.entries()) {
    const rise = trafficAt(steps, index).weight - trafficAt(steps, index - 1).weight
    if (mostRise !== undefined && rise > mostRise) {
      broken.push({ pointer: `${pointer}/${index}/weight`, reason: `may rise by ${mostRise} % at most, not ${rise} %` })
    }
    if (leastFor !== undefined && stepKind(step) === 'traffic' && durationMs(step.for ?? '1s') < durationMs(leastFor)) {
      broken.push({ pointer: `${pointer}/${index}/for`, reason: `must be ${leastFor} at least` })
    }
  }
  return broken
}

/** What makes the same gates weaker: fewer requests, and less done about what they say. */
function weakerJudging(strategy: StrategySpec, own: StrategySpec): readonly Broken[] {
  const broken: Broken[] = []
  if (own.minEvents < strategy.minEvents) {
    broken.push({ pointer: '/minEvents', reason: `must be ${strategy.minEvents} at least` })
  }
  for (const field of ['onHarm', 'onBlind'] as const) {
    if (own[field] === WEAK[field] && strategy[field] !== WEAK[field]) {
      broken.push({ pointer: `/${field}`, reason: `must be ${strategy[field]}` })
    }
  }
  return broken
}
const WEAK = { onHarm: 'freeze', onBlind: 'hold' } as const

/** Gates of the strategy that the rollout left out or made weaker. */
function weakerGates(base: readonly GateSpec[], own: readonly GateSpec[]): readonly string[] {
  return base
    .filter((gate) => !own.some((other) => isAsStrict(other, gate)))
    .map((gate) => `gate ${gate.kind === 'value' ? gateText(gate) : `${gateKind(gate)} ≤ ${gate.limitPercent} %`}`)
}
