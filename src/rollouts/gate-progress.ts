import { addWindow, NO_EVIDENCE } from '../judge/evidence.ts'
import { blindVerdict, type GateQuestion, judgeGate } from '../judge/judge-gate.ts'
import { type AlphaParts, splitAlpha } from '../judge/spend-alpha.ts'
import { type CountingGate, comparedBy, type GateSpec } from '../model/gate.ts'
import { timestamp } from '../model/names.ts'
import { ALL_CLUSTERS, type GateProgress, type Rollout, type RolloutTarget } from '../model/rollout.ts'
import { wavesOf } from '../model/waves.ts'
import type { CountedWindow, WindowCounts } from './count-window.ts'
import { addCounts, NO_COUNTS, total } from './observations.ts'

/** What a gate knows on a cluster; of one that has not looked, nothing. */
export function progressOf(rollout: Rollout, gate: number, cluster: string): GateProgress {
  const known = rollout.progress.find((progress) => progress.gate === gate && progress.cluster === cluster)
  const none = { candidate: NO_COUNTS, stable: NO_COUNTS, stepCandidate: NO_COUNTS, stepStable: NO_COUNTS }
  return known ?? { gate, cluster, ...none, maxE: 0 }
}

export interface Look {
  readonly rollout: Rollout
  readonly target: RolloutTarget
  readonly gate: CountingGate
  readonly window: CountedWindow
  /** Epoch milliseconds. */
  readonly now: number
}

/** One gate's progress after a look. A blind look keeps the cursor: what it missed is counted once it sees again. */
export function afterLook(known: GateProgress, counts: WindowCounts, look: Look): GateProgress {
  const { rollout, target, window } = look
  const lookedAt = timestamp(look.now)
  if (!counts.ok) return { ...known, lookedAt, last: blindVerdict(questionOf(known, look), counts.reason, counts.why) }
  const candidate = counts.byVersion[target.candidate] ?? NO_COUNTS
  const stable = counts.byVersion[target.stable] ?? NO_COUNTS
  const counted = { part: partOf(rollout, target), spanMs: window.toMs - window.fromMs, candidate, stable }
  const next: GateProgress = {
    ...known,
    cursorMs: window.toMs,
    lookedAt,
    candidate: addCounts(known.candidate, candidate),
    stable: addCounts(known.stable, stable),
    stepCandidate: addCounts(known.stepCandidate, candidate),
    stepStable: addCounts(known.stepStable, stable),
    evidence: addWindow(known.evidence ?? NO_EVIDENCE, counted),
  }
  if (isSilent(next, target, rollout.minEvents)) {
    const why = `stable answered ${total(next.stepStable)} requests in this step, the candidate is not seen at all`
    return { ...next, last: blindVerdict(questionOf(next, look), 'NoData', why) }
  }
  const { verdict, maxE } = judgeGate(questionOf(next, look))
  return { ...next, maxE, last: verdict }
}

function questionOf({ evidence, maxE }: GateProgress, { rollout, target, gate }: Look): GateQuestion {
  return {
    ...gateQuestion(rollout, gate),
    evidence: [evidence ?? NO_EVIDENCE],
    parts: partsOf(rollout, target.cluster),
    alpha: alphaParts(rollout).cluster,
    // Queries may count anything, so what they count need not be shared by the weight.
    asked: gate.kind === 'counts' ? undefined : askedShare(rollout, target),
    previousMaxE: maxE,
  }
}

/** A gate on a value tests nothing, so it spends nothing. */
function alphaParts({ alpha, gates, targets }: Rollout): AlphaParts {
  return splitAlpha(alpha, gates.filter(isCounting).length, targets.length)
}

function isCounting(gate: GateSpec): gate is CountingGate {
  return gate.kind !== 'value'
}

/** What is the same on one cluster and on all. */
function gateQuestion({ alpha, minEvents }: Rollout, gate: CountingGate) {
  return {
    alphaOfRollout: alpha,
    minEvents,
    limitPercent: gate.limitPercent,
    gMax: comparedBy(gate),
    badMeans: badMeansOf(gate),
  }
}

function badMeansOf(gate: CountingGate): string {
  if (gate.kind === 'latency') return `took longer than ${gate.overMs} ms`
  return gate.kind === 'counts' ? 'were bad' : 'failed'
}

/** The steps of a cluster's wave, and one for the time after them: in each the evidence may begin anew. */
export function partsOf(rollout: Rollout, cluster: string): number {
  const wave = wavesOf(rollout).find(({ clusters }) => clusters.includes(cluster))
  return (wave?.steps ?? rollout.steps).length + 1
}

/** The step that a cluster is at; the number of steps once it has all requests. Never falls while it has some. */
export function partOf(rollout: Rollout, { cluster, weight }: RolloutTarget): number {
  const last = partsOf(rollout, cluster) - 1
  return weight >= 100 ? last : Math.min(Math.max(0, rollout.step), last - 1)
}

/** The share that the weight asks; undefined where requests are picked otherwise, copied, or kept by a cookie. */
function askedShare({ affinity }: Rollout, { weight, match, mirror }: RolloutTarget): number | undefined {
  const isSplit = !affinity && !match && mirror === undefined && weight > 0 && weight < 100
  return isSplit ? weight / 100 : undefined
}

/** Stable saw so many requests that the candidate should have seen `minEvents`, yet it reports none: its metrics are missing. */
function isSilent(progress: GateProgress, target: RolloutTarget, minEvents: number): boolean {
  if (total(progress.stepCandidate) > 0 || target.weight === 0 || target.weight === 100) return false
  return (total(progress.stepStable) * target.weight) / (100 - target.weight) >= minEvents
}

/**
 * A gate's judgement over all clusters together, the evidence of each being stages of one test: a harm too small to be seen
 * on any. Undefined with one cluster, where it would be the same again, and before two have looked. Clusters that the
 * rollout has gone on without are left out.
 */
export function judgeOverall(
  rollout: Rollout,
  gate: number,
  progress: readonly GateProgress[],
): GateProgress | undefined {
  const spec = rollout.gates[gate]
  const alpha = alphaParts(rollout).all
  const counted = progress.filter(
    (one) => one.gate === gate && one.evidence && rollout.targets.some((target) => isIn(target, one)),
  )
  const lookedAt = counted
    .flatMap((one) => one.lookedAt ?? [])
    .toSorted()
    .at(-1)
  if (!spec || !isCounting(spec) || alpha === undefined || lookedAt === undefined || counted.length < 2)
    return undefined
  const known = progressOf({ ...rollout, progress }, gate, ALL_CLUSTERS)
  const { verdict, maxE } = judgeGate({
    ...gateQuestion(rollout, spec),
    evidence: counted.flatMap(({ evidence }) => evidence ?? []),
    parts: Math.max(...counted.map(({ cluster }) => partsOf(rollout, cluster))),
    alpha,
    previousMaxE: known.maxE,
  })
  return { ...known, maxE, last: verdict, lookedAt }
}

function isIn({ cluster, out }: RolloutTarget, progress: GateProgress): boolean {
  return out === undefined && cluster === progress.cluster
}
