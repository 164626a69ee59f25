import type { ClusterDocument } from '../../model/documents.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { formatDuration } from '../../model/names.ts'
import type { ReplayRequest } from '../../model/replay.ts'
import { isTerminal, type Rollout, serviceOfRollout } from '../../model/rollout.ts'
import type { Clock } from '../../ports/clock.ts'
import type { MetricsSources } from '../../ports/metrics.ts'
import type { Store } from '../../ports/store.ts'
import { readRecorded } from '../evidence/read-recorded.ts'
import { gateTimings, overallTiming } from '../gate-timing.ts'
import { findRollout } from '../read-rollout.ts'
import { checkReplay } from './check-replay.ts'
import { type ReplayStage, replayStages } from './replay-stages.ts'
import { lookTimes, type ReplayRun, runReplay } from './run-replay.ts'

export interface ReplayDeps {
  readonly store: Store
  readonly clock: Clock
  readonly metrics: MetricsSources
}

export interface Replay extends ReplayRun {
  /** As it was judged: with the gates that were asked for. */
  readonly rollout: Rollout
  /** How far apart the looks are. */
  readonly everyMs: number
  readonly stages: readonly ReplayStage[]
  readonly warnings: readonly string[]
}

/** Looks of a gate at a cluster that one replay may take: each asks a metrics source once. */
const MOST_LOOKS = 1000
/** A look counts an hour at most. */
const LONGEST_EVERY_MS = 50 * 60_000

/**
 * Judges the past of a rollout by other gates, as if they had judged it then. Nothing is written. The past is what events and
 * history tell of its traffic; the metrics are asked for it anew.
 */
export async function replayRollout(deps: ReplayDeps, id: string, request: ReplayRequest): Promise<Result<Replay>> {
  const known = await findRollout(deps.store, id)
  const service = (await deps.store.read('service', serviceOfRollout(id) ?? ''))?.value
  if (!known) return fail('NotFound', `There is no rollout ${id}.`)
  if (!service) return fail('NotFound', `The service of rollout ${id} is not there any more.`)
  const checked = await checkReplay(deps, { rollout: known, service, request })
  if (!checked.ok) return checked
  const { rollout, clusters } = checked.value
  const recorded = await readRecorded(deps.store, known)
  const toMs = isTerminal(known.phase) ? Date.parse(known.endedAt ?? known.updatedAt) : deps.clock.now()
  const stages = onClusters(replayStages(known, recorded, toMs), clusters)
  if (stages.length === 0) {
    return fail('RolloutState', `Rollout ${id} gave its candidate nothing there: there is nothing to judge.`)
  }
  const timings = gateTimings(deps.metrics, rollout.gates, clusters)
  const every = everyOf(stages, rollout.gates.length, overallTiming(timings, rollout.gates).everyMs)
  if (!every.ok) return every
  const run = await runReplay({ ...deps, service, rollout, clusters, stages, timings, everyMs: every.value })
  return succeed({
    ...run,
    rollout,
    everyMs: every.value,
    stages,
    warnings: warningsOf(rollout, clusters, run, recorded.cut),
  })
}

function onClusters(stages: readonly ReplayStage[], clusters: readonly ClusterDocument[]): readonly ReplayStage[] {
  const names = new Set(clusters.map(({ name }) => name))
  return stages
    .map((stage) => ({ ...stage, targets: stage.targets.filter(({ cluster }) => names.has(cluster)) }))
    .filter(({ targets }) => targets.length > 0)
}

/** As often as gates look, but no oftener than a replay may ask; a failure that says how to ask for less. */
function everyOf(stages: readonly ReplayStage[], gates: number, leastMs: number): Result<number> {
  const looks = (everyMs: number) =>
    stages.reduce((sum, stage) => sum + lookTimes(stage, everyMs).length * stage.targets.length * gates, 0)
  let everyMs = leastMs
  while (looks(everyMs) > MOST_LOOKS && everyMs < LONGEST_EVERY_MS) everyMs = Math.min(LONGEST_EVERY_MS, everyMs * 1.25)
  if (looks(everyMs) <= MOST_LOOKS) return succeed(everyMs)
  const detail = `The replay would take ${looks(everyMs)} looks, and may take ${MOST_LOOKS}.`
  return fail('InvalidCombination', detail, {
    errors: [{ pointer: '/clusters', reason: 'must be fewer, or with fewer gates' }],
    hint: 'Name some of the clusters in "clusters", or give fewer gates.',
  })
}

function warningsOf(
  { targets }: Rollout,
  clusters: readonly ClusterDocument[],
  { looks, stopped }: ReplayRun,
  cut: boolean,
): readonly string[] {
  const gone = targets.filter(({ cluster }) => !clusters.some(({ name }) => name === cluster))
  const blind = looks.filter(({ progress }) => progress.last?.verdict === 'blind')
  return [
    ...(gone.length > 0
      ? [`${gone.map(({ cluster }) => cluster).join(', ')} is left out, or not registered any more.`]
      : []),
    ...(blind.length > 0
      ? [`${blind.length} of ${looks.length} looks were blind: the source has forgotten, or never had, that time.`]
      : []),
    ...(cut ? ['The rollout has more events than are read: its end is not replayed.'] : []),
    ...(stopped === undefined ? [] : [`Stopped before the end: ${stopped}. Name fewer clusters, or fewer gates.`]),
  ]
}

/** In words: what the rollout would have come to. */
export function outcomeOf({ harm, isPlaced, held, rollout, everyMs }: Replay): {
  readonly ends: 'rolls-back' | 'freezes' | 'holds' | 'passes'
  readonly message: string
} {
  if (harm) {
    const ends = rollout.onHarm === 'freeze' && isPlaced ? ('freezes' as const) : ('rolls-back' as const)
    return { ends, message: `Harm would have been called at ${harm.at}: ${harm.message}` }
  }
  const [first] = held
  if (first) return { ends: 'holds', message: `It would have been held at ${first.at}: ${first.message}` }
  return {
    ends: 'passes',
    message: `No look, one every ${formatDuration(everyMs)}, would have called harm or held a step.`,
  }
}
