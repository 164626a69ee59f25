import * as z from 'zod'
import type { ArrivedEvent } from '../../model/event.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { GATE_SOURCES } from '../../model/metrics.ts'
import type { Rollout } from '../../model/rollout.ts'
import { isPortError } from '../../ports/port-error.ts'
import { readRecorded } from '../../rollouts/evidence/read-recorded.ts'
import { findRollout } from '../../rollouts/read-rollout.ts'
import { readEvents } from '../event-stream.ts'
import { EVIDENCE_HEADERS } from '../evidence/style.ts'
import { brokenPlace, limitOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { seesWebhooks } from '../sees-webhooks.ts'
import { countsView, time } from '../views/common.ts'
import { rolloutView, viewRollout } from '../views/rollout-view.ts'
import { verdictView } from '../views/verdict-view.ts'

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
    wave: z.int().optional(),
    step: z.int(),
    weight: z.int().describe('Per cents asked for the candidate on the clusters of the present wave'),
    asked: z.int().optional().describe('Per cents asked for it on this cluster'),
    counted: z
      .object({
        fromMs: z.number().optional(),
        toMs: z.number().optional(),
        candidate: countsView.optional(),
        stable: countsView.optional(),
      })
      .describe('The window that was counted, in epoch milliseconds, and its requests; empty when the look was blind'),
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

const evidenceQuery = pageQuery.extend({
  format: z.enum(['json', 'svg']).optional().describe('svg: a picture, as with "Accept: image/svg+xml"'),
})
type EvidenceQuery = z.infer<typeof evidenceQuery>

export const EVIDENCE_ROUTES: readonly Route[] = [
  route({
    method: 'GET',
    path: '/rollouts/{id}/evidence',
    operationId: 'getRolloutEvidence',
    tag: 'Rollouts',
    summary: 'Show on what the decisions of a rollout rest',
    description:
      'As JSON by page, or as one picture: weights over time, bad shares with their intervals, evidence for harm, every decision with its reason.',
    access: 'any',
    query: evidenceQuery,
    answers: {
      200: {
        description: 'The rollout, what was counted, and a page of looks; or the picture, which loads nothing',
        schema: evidenceView,
        contentType: 'image/svg+xml',
      },
    },
    failures: ['NotFound'],
    async handle(call) {
      const id = call.params.id ?? ''
      const rollout = await findRollout(call.deps.store, id)
      if (!rollout) return fail('NotFound', `There is no rollout ${id}.`)
      return wantsPicture(call) ? succeed(await picture(call, rollout)) : evidence(call, rollout)
    },
  }),
]

function wantsPicture({ query, request }: Call<unknown, EvidenceQuery>): boolean {
  if (query.format !== undefined) return query.format === 'svg'
  return /\bimage\/svg\+xml\b/.test(request.headers.accept ?? '')
}

async function picture({ deps }: Call<unknown, EvidenceQuery>, rollout: Rollout): Promise<Answer> {
  const recorded = await readRecorded(deps.store, rollout)
  // Drawing asks the judge for intervals, which is heavy to load.
  const { drawEvidence } = await import('../evidence/draw-evidence.ts')
  return { status: 200, headers: EVIDENCE_HEADERS, body: drawEvidence(rollout, recorded, deps.clock.now()) }
}

async function evidence(call: Call<unknown, EvidenceQuery>, rollout: Rollout): Promise<Result<Answer>> {
  const found = await looks(call, `rollouts/${rollout.id}`)
  if (!found.ok) return found
  const view = viewRollout(rollout, await seesWebhooks(call.deps.store, call.caller)(rollout))
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
  { deps, query }: Call<unknown, EvidenceQuery>,
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
  const { gate, kind, name, from, cluster, wave, step, weight, asked, counted, verdict } = data
  return { time, gate, kind, name, from, cluster, wave, step, weight, asked, counted, verdict }
}
