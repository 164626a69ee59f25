import * as z from 'zod'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { isTerminal } from '../../model/rollout.ts'
import { isPortError } from '../../ports/port-error.ts'
import { findRollout } from '../../rollouts/read-rollout.ts'
import { type EventStream, eventStream, readEvents } from '../event-stream.ts'
import { brokenPlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { eventView, viewEvent } from '../views/event-view.ts'

const subjectParameter = z
  .string()
  .regex(/^(services\/[a-z0-9-]+\/[a-z0-9-]+|(clusters|certificates|policies)\/[a-z0-9-]+|rollouts\/[a-z0-9.-]+)$/, {
    message: 'must be services/NAMESPACE/NAME, clusters/NAME, certificates/NAME, policies/NAME or rollouts/ID',
  })
  .optional()
  .describe('Only events about this')

const listQuery = pageQuery.extend({ subject: subjectParameter })
type PageQuery = z.infer<typeof pageQuery>

const common = {
  method: 'GET',
  tag: 'Events',
  access: 'any',
  description:
    'In the order of arrival. A list by default; with "Accept: text/event-stream" a stream (server-sent events) that goes on where Last-Event-ID or ?after= says.',
  answers: {
    200: { description: 'One page', schema: listOf(eventView), stream: 'Events as they arrive; id is the cursor' },
  },
} as const

export const EVENT_ROUTES: readonly Route[] = [
  route({
    ...common,
    path: '/events',
    operationId: 'listEvents',
    summary: 'List or follow events',
    query: listQuery,
    async handle(call) {
      const { deps, query } = call
      return answer(call, { store: deps.store, clock: deps.clock, ...subjectOf(query.subject) })
    },
  }),
  route({
    ...common,
    path: '/rollouts/{id}/events',
    operationId: 'listRolloutEvents',
    summary: 'List or follow the events of a rollout',
    description: `${common.description} The stream ends when the rollout is over.`,
    query: pageQuery,
    failures: ['NotFound'],
    async handle(call) {
      const { deps, params } = call
      const id = params.id ?? ''
      if (!(await findRollout(deps.store, id))) return fail('NotFound', `There is no rollout ${id}.`)
      const isOver = async () => {
        const rollout = await findRollout(deps.store, id)
        return rollout === undefined || isTerminal(rollout.phase)
      }
      return answer(call, { store: deps.store, clock: deps.clock, ...subjectOf(`rollouts/${id}`), isOver })
    },
  }),
]

function subjectOf(subject: string | undefined): { subject?: string } {
  return subject === undefined ? {} : { subject }
}

async function answer(call: Call<unknown, PageQuery>, stream: EventStream): Promise<Result<Answer>> {
  const { request, query } = call
  const streams = request.method === 'GET' && /\btext\/event-stream\b/.test(request.headers.accept ?? '')
  const lastSeen = streams ? request.headers['last-event-id'] : undefined
  const after = lastSeen ?? query.after
  try {
    const page = await readEvents(stream, after, limitOf(query))
    if (streams) {
      const signal = request.signal === undefined ? {} : { signal: request.signal }
      return succeed({
        status: 200,
        headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
        body: eventStream({ ...stream, ...signal }, page, after),
      })
    }
    return pageAnswer(request, page.value.map(viewEvent), page.next)
  } catch (error) {
    if (isPortError(error, 'invalid'))
      return brokenPlace(lastSeen === undefined ? 'query/after' : 'header/last-event-id')
    throw error
  }
}
