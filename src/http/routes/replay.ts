import * as z from 'zod'
import { succeed } from '../../model/failure.ts'
import { formatDuration, timestamp } from '../../model/names.ts'
import { replayRequest } from '../../model/replay.ts'
import type { Replay } from '../../rollouts/replay/replay-rollout.ts'
import { type Route, route } from '../route.ts'
import { time } from '../views/common.ts'
import { verdictView, viewVerdict } from '../views/verdict-view.ts'

const pointView = z.object({ at: time, wave: z.int(), step: z.int(), reason: z.string(), message: z.string() })

const replayView = z
  .object({
    rollout: z.string(),
    ended: z.string().describe('The phase that the rollout itself is in, or ended in'),
    gates: z.int().describe('How many gates judged'),
    alpha: z.number(),
    minEvents: z.int(),
    every: z.string().describe('Looks are so far apart; the farther, the longer the rollout'),
    from: time,
    until: time,
    would: z
      .object({
        ends: z
          .enum(['rolls-back', 'freezes', 'holds', 'passes'])
          .describe('holds: the end of a step would have waited; passes: every step that passed would have'),
        message: z.string(),
        harm: pointView
          .extend({ gate: z.int(), cluster: z.string() })
          .optional()
          .describe('When harm would have been called'),
        held: z.array(pointView).describe('Ends of steps that would have waited'),
      })
      .describe('What the rollout would have done'),
    value: z
      .array(
        z.object({
          wave: z.int(),
          step: z.int(),
          counted: z
            .object({ from: time, to: time })
            .optional()
            .describe('The window; left out: the look was blind, or is over all clusters together'),
          verdict: verdictView,
        }),
      )
      .describe('Every look, in the order of time, up to the first harm'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Replay' })

export const REPLAY_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/rollouts/{id}/replay',
    operationId: 'replayRollout',
    tag: 'Rollouts',
    summary: 'Judge the past of a rollout by other gates',
    description:
      'Asks the metrics for the time of each step on each cluster and judges it again, look by look: by other gates, another alpha, another least number of events. Nothing is written. At most 1,000 looks; of a long rollout they are farther apart.',
    access: ['Mesh.Deployer', 'Mesh.Approver', 'Mesh.Operator'],
    body: { schema: replayRequest, example: { gates: [{ kind: 'errors', limitPercent: 0.5 }], alpha: 0.01 } },
    answers: { 200: { description: 'Every look, and what the rollout would have done', schema: replayView } },
    failures: ['NotFound', 'RolloutState', 'UnknownReference', 'InvalidCombination'],
    async handle({ deps, params, body }) {
      // The judge is heavy to load.
      const { outcomeOf, replayRollout } = await import('../../rollouts/replay/replay-rollout.ts')
      const replayed = await replayRollout(deps, params.id ?? '', body)
      if (!replayed.ok) return replayed
      return succeed({ status: 200, json: viewReplay(replayed.value, outcomeOf(replayed.value)) })
    },
  }),
]

function viewReplay(replay: Replay, outcome: Pick<z.infer<typeof replayView>['would'], 'ends' | 'message'>) {
  const { rollout, stages, harm, held, looks, everyMs, warnings } = replay
  const [first, last] = [stages[0], stages.at(-1)]
  return {
    rollout: rollout.id,
    ended: rollout.phase,
    gates: rollout.gates.length,
    alpha: rollout.alpha,
    minEvents: rollout.minEvents,
    every: formatDuration(Math.ceil(everyMs / 1000) * 1000),
    from: timestamp(first?.fromMs ?? 0),
    until: timestamp(last?.toMs ?? 0),
    would: { ...outcome, ...(harm ? { harm } : {}), held },
    value: looks.flatMap(({ wave, step, counted, progress }) =>
      viewVerdict(rollout, progress).map((verdict) => ({
        wave,
        step,
        ...(counted ? { counted: { from: timestamp(counted.fromMs), to: timestamp(counted.toMs) } } : {}),
        verdict,
      })),
    ),
    warnings,
  }
}
