import { addWindow, NO_EVIDENCE } from '../src/judge/evidence.ts'
import { lookForHarm } from '../src/judge/judge-gate.ts'
import { splitAlpha } from '../src/judge/spend-alpha.ts'
import { comparedBy } from '../src/model/gate.ts'
import { DEFAULT_STRATEGY } from '../src/model/strategy.ts'
import { drawMinute, seeded, type Traffic } from '../test/unit/judge/draw-traffic.ts'
import { flagger, kayenta, type Rule } from './rivals/rules.ts'

/** A look a minute, for half an hour. */
export const LOOKS = 30

export const RULES = { meshwright, flagger, kayenta } as const
export type RuleName = keyof typeof RULES

/** What a rule did in many runs of the same traffic. */
export interface Stops {
  /** Part of the runs that it stopped. */
  readonly part: number
  /** Median look at which it did; undefined when it stopped less than half of them. */
  readonly median: number | undefined
}

/** The strategy `default` on one cluster, its errors gate by limit and comparison, all thirty minutes in its first step. */
function meshwright(): Rule {
  const { alpha, gates, minEvents, steps } = DEFAULT_STRATEGY
  const [gate] = gates
  if (gate?.kind !== 'errors') throw new Error('the default strategy has no errors gate')
  const asked = {
    parts: steps.length + 1,
    alpha: splitAlpha(alpha, gates.length, 1).cluster,
    alphaOfRollout: alpha,
    limitPercent: gate.limitPercent,
    gMax: comparedBy(gate),
    minEvents,
    badMeans: 'failed',
  }
  let evidence = NO_EVIDENCE
  let maxE = 0
  return (minute) => {
    evidence = addWindow(evidence, { part: 0, spanMs: 60_000, ...minute })
    maxE = lookForHarm({ ...asked, evidence: [evidence], previousMaxE: maxE }).maxE
    return maxE >= 1 / asked.alpha
  }
}

/** Lets each rule watch the same runs. */
export function watch(traffic: Traffic, runs: number, seed: number): Readonly<Record<RuleName, Stops>> {
  const random = seeded(seed)
  const stops: Record<RuleName, number[]> = { meshwright: [], flagger: [], kayenta: [] }
  for (let run = 0; run < runs; run++) {
    const minutes = Array.from({ length: LOOKS }, (_, index) => drawMinute(random, traffic, index + 1))
    for (const name of ruleNames()) {
      const rule = RULES[name]()
      const look = minutes.findIndex((minute) => rule(minute)) + 1
      stops[name].push(look === 0 ? Number.POSITIVE_INFINITY : look)
    }
  }
  return { meshwright: told(stops.meshwright), flagger: told(stops.flagger), kayenta: told(stops.kayenta) }
}

export function ruleNames(): readonly RuleName[] {
  return ['meshwright', 'flagger', 'kayenta']
}

function told(looks: readonly number[]): Stops {
  const median = looks.toSorted((a, b) => a - b)[Math.floor(looks.length / 2)] ?? Number.POSITIVE_INFINITY
  return {
    part: looks.filter(Number.isFinite).length / looks.length,
    median: Number.isFinite(median) ? median : undefined,
  }
}
