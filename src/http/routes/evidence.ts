import * as z from 'zod'
import type { ArrivedEvent } from '../../model/event.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { GATE_SOURCES } from '../../model/metrics.ts'
import type { Rollout } from '../../model/rollout.ts'
import { isPortError } from '../../ports/port-error.ts'
import { findRollout } from '../../rollouts/read-rollout.ts'
import { readEvents } from '../event-stream.ts'
import { brokenPlace, limitOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { countsView, time } from '../views/common.ts'
import { rolloutView, verdictView, viewRollout } from '../views/rollout-view.ts'

/** Events read for one page of looks: other events lie between them. */
const MOST_READS = 10

const lookView = z
  .object({
    time,
    gate: z.int(),
    kind: z.string().optional(),
    name: z.string().optional().describe('Of a gate with queries'),
    from: z.enum(GATE_SOURCES).optional().describe('Which metrics were counted'),
    cluster: z.string(),
    step: z.int(),
    weight: z.int(),
    counted: z
      .object({ fromMs: z.number().optional(), toMs: z.number().optional() })
      .describe('The window that was counted, in epoch milliseconds'),
    verdict: z.unknown().describe('As in verdicts: counts, evidence, interval, words'),
  })
  .meta({ id: 'Look' })

const evidenceView = z
  .object({
    rollout: rolloutView,
    totals: z
      .array(
        z.object({ gate: z.int(), cluster: z.string(), candidate: countsView, stable: countsView, maxE: z.number() }),
      )
      .describe('Requests that each gate counted on each cluster, over the whole rollout'),
    verdicts: z.array(verdictView),
    value: z.array(lookView).describe('Every look, in the order of arrival'),
    nextLink: z.url().optional(),
  })
  .meta({ id: 'Evidence' })

export const EVIDENCE_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/rollouts/{id}/evidence',
    operationId: 'getRolloutEvidence',
    tag: 'Rollouts',
    summary: 'Show on what the decisions of a rollout rest',
    access: 'any',
    query: pageQuery,
    answers: { 200: { description: 'The rollout, what was counted, and a page of looks', schema: evidenceView } },
    failures: ['NotFound'],
    async handle(call) {
      const id = call.params.id ?? ''
      const rollout = await findRollout(call.deps.store, id)
      return rollout ? evidence(call, rollout) : fail('NotFound', `There is no rollout ${id}.`)
    },
  }),
]

async function evidence(call: Call<unknown, z.infer<typeof pageQuery>>, rollout: Rollout): Promise<Result<Answer>> {
  const found = await looks(call, `rollouts/${rollout.id}`)
  if (!found.ok) return found
  const view = viewRollout(rollout)
  const totals = rollout.progress.map(({ gate, cluster, candidate, stable, maxE }) => {
    return { gate, cluster, candidate, stable, maxE }
  })
  return pageAnswer(call.request, found.value.looks.map(viewLook), found.value.next, {
    rollout: view,
    totals,
    verdicts: view.verdicts,
  })
}

async function looks(
  { deps, query }: Call<unknown, z.infer<typeof pageQuery>>,
  subject: string,
): Promise<Result<{ looks: readonly ArrivedEvent[]; next?: string }>> {
  const limit = limitOf(query)
  const seen: ArrivedEvent[] = []
  let after = query.after
  for (let reads = 0; reads < MOST_READS; reads += 1) {
    try {
      const page = await readEvents({ store: deps.store, subject }, after, limit - seen.length)
      seen.push(...page.value.filter((event) => event.type === 'rollout.look'))
      if (page.next === undefined) return succeed({ looks: seen })
      after = page.next
    } catch (error) {
      if (isPortError(error, 'invalid')) return brokenPlace()
      throw error
    }
    if (seen.length >= limit) break
  }
  return succeed({ looks: seen, ...(after === undefined ? {} : { next: after }) })
}

function viewLook({ time, data = {} }: ArrivedEvent) {
  const { gate, kind, name, from, cluster, step, weight, counted, verdict } = data
  return { time, gate, kind, name, from, cluster, step, weight, counted, verdict }
}
