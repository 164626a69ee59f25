import { ALL_CLUSTERS, type GateProgress, type Rollout } from '../model/rollout.ts'
import { judgeOverall } from './gate-progress.ts'
import { targetOn } from './weight-rules.ts'

/** Alone it would be harm at 5 %: a cluster without any comes to it in one rollout of twenty at most. */
const SUSPECT = 20
/** Up to here harm is no likelier than none. */
const NO_SIGN = 1

/** What gates call harm, but on clusters that the rollout has gone on without. */
export function harmIn(rollout: Rollout): readonly GateProgress[] {
  return rollout.progress.filter(
    ({ last, cluster }) => last?.verdict === 'harm' && targetOn(rollout, cluster)?.out === undefined,
  )
}

/**
 * Which clusters the harm that gates call is on, where not all have it. Those that show it by themselves; where only all
 * together show it, those that nearly do, if the others show no sign of it. Empty: it is on all, or nobody can tell where.
 */
export function harmedClusters(rollout: Rollout): ReadonlySet<string> {
  const harm = harmIn(rollout)
  // What all clusters together show is no cluster's own while one of them shows it by itself.
  const own = harm.map(({ cluster }) => cluster).filter((cluster) => cluster !== ALL_CLUSTERS)
  const parts = own.length > 0 ? [own] : harm.map(({ gate }) => suspectsOf(rollout, gate))
  const harmed = new Set(parts.flat())
  const isWhole = rollout.targets.every(({ cluster, out }) => out !== undefined || harmed.has(cluster))
  return isWhole || parts.some((part) => part.length === 0) ? new Set() : harmed
}

/** The clusters with evidence of their own, if a gate sees no sign of harm on the others together; else none. */
function suspectsOf(rollout: Rollout, gate: number): readonly string[] {
  const looked = rollout.progress.filter(
    (one) => one.gate === gate && one.evidence && targetOn(rollout, one.cluster)?.out === undefined,
  )
  const rest = looked.filter((one) => evidenceOf(one) < SUSPECT)
  if (rest.length === 0 || evidenceOn(rollout, gate, rest) > NO_SIGN) return []
  return looked.filter((one) => !rest.includes(one)).map(({ cluster }) => cluster)
}

/** Evidence for harm on some clusters together, as if the rollout had begun without the others. */
function evidenceOn(rollout: Rollout, gate: number, rest: readonly GateProgress[]): number {
  const together = judgeOverall({ ...rollout, progress: rest }, gate, rest)
  return evidenceOf(together ?? rest[0])
}

function evidenceOf(progress: GateProgress | undefined): number {
  return progress?.last?.eValue ?? 0
}
