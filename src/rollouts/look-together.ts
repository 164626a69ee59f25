import type { GateProgress, Rollout } from '../model/rollout.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { judgeOverall } from './gate-progress.ts'
import { type LookInput, look } from './look.ts'
import type { Observations } from './observations.ts'

/** Clusters that are looked at together: a source that does not answer holds up few others, and none is asked by all at once. */
const AT_ONCE = 5

/** Looks at every cluster of `due` at which a gate is due, and judges each gate over all of them together. */
export async function lookTogether(
  metrics: MetricsSources,
  rollout: Rollout,
  due: readonly LookInput[],
): Promise<Pick<Observations, 'progress' | 'observedWeights'>> {
  let progress: readonly GateProgress[] = rollout.progress
  const observedWeights: Record<string, number | null> = {}
  for (let at = 0; at < due.length; at += AT_ONCE) {
    const group = due.slice(at, at + AT_ONCE)
    const outcomes = await Promise.all(group.map((input) => look(metrics, input)))
    for (const [index, outcome] of outcomes.entries()) {
      const cluster = group[index]?.cluster.name
      if (!outcome || cluster === undefined) continue
      const others = progress.filter((known) => known.cluster !== cluster)
      progress = [...others, ...outcome.progress]
      observedWeights[cluster] = outcome.observedWeight
    }
  }
  if (progress !== rollout.progress) progress = withOverall(rollout, progress)
  return { progress, observedWeights }
}

/** With the judgement of each gate over all clusters, which comes after those on each. */
function withOverall(rollout: Rollout, progress: readonly GateProgress[]): readonly GateProgress[] {
  const overall = rollout.gates.flatMap((_, gate) => judgeOverall(rollout, gate, progress) ?? [])
  const judged = (one: GateProgress) =>
    overall.some(({ gate, cluster }) => gate === one.gate && cluster === one.cluster)
  const others = progress.filter((one) => !judged(one))
  return [...others.sort((a, b) => a.gate - b.gate || (a.cluster < b.cluster ? -1 : 1)), ...overall]
}
