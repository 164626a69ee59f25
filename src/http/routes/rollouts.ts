import * as z from 'zod'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { AWAITING_PHASES, isTerminal, type Rollout, rolloutRequest } from '../../model/rollout.ts'
import { serviceKey } from '../../model/service.ts'
import { findRollout } from '../../rollouts/read-rollout.ts'
import { startRollout } from '../../rollouts/start-rollout.ts'
import { listRollouts } from '../list-rollouts.ts'
import { operationIds } from '../operations.ts'
import { limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { seesWebhooks } from '../sees-webhooks.ts'
import { type RolloutView, rolloutView, viewRollout } from '../views/rollout-view.ts'
import { type WaitQuery, waitFor, waitQuery } from '../wait.ts'
import { acceptedAnswer, addressOf, found } from './owned.ts'

const activeParameter = z.enum(['true', 'false']).optional().describe('true: only live rollouts')
const listQuery = pageQuery.extend({ active: activeParameter })
type ListQuery = z.infer<typeof listQuery>

const tag = 'Rollouts'
const one = { description: 'The rollout', schema: rolloutView }
const list200 = {
  description: 'One page: the live ones first, each page the newest first',
  schema: listOf(rolloutView),
}

export const ROLLOUT_EXAMPLE = {
  candidate: 'v2',
  steps: [{ weight: 10, for: '2m' }],
  gates: [{ kind: 'errors', limitPercent: 1 }],
} as const

/** How a start may be refused for what it asks. */
export const START_FAILURES = [
  'Deleting',
  'Conflict',
  'RolloutInFlight',
  'WeightsPinned',
  'UnknownReference',
  'UnsupportedFeature',
  'InvalidCombination',
  'GuardRail',
  'ImageRefused',
] as const

export const ROLLOUT_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/services/{namespace}/{name}/rollouts',
    operationId: 'startRollout',
    tag,
    summary: 'Start a rollout',
    description:
      'The candidate alone is enough: then the strategy "default" is used. A rollout may be stricter than its strategy.',
    access: ['Mesh.Deployer'],
    query: waitQuery,
    body: {
      schema: rolloutRequest,
      example: ROLLOUT_EXAMPLE,
    },
    repeatable: true,
    answers: {
      201: { ...one, description: 'The new rollout; with ?wait= it is over or waits for a person' },
      202: { ...one, description: 'The new rollout; it goes on after ?wait=' },
    },
    failures: ['NotFound', 'WriteConflict', ...START_FAILURES],
    async handle(call) {
      const { deps, params, body, context } = call
      return rolloutAnswer(
        call,
        await startRollout(deps, params.namespace ?? '', params.name ?? '', body, context),
        201,
      )
    },
  }),
  route({
    method: 'GET',
    path: '/services/{namespace}/{name}/rollouts',
    operationId: 'listServiceRollouts',
    tag,
    summary: 'List the rollouts of a service',
    access: 'any',
    query: listQuery,
    answers: { 200: list200 },
    failures: ['NotFound'],
    async handle(call) {
      const key = serviceKey(call.params.namespace ?? '', call.params.name ?? '')
      const service = await call.deps.store.read('service', key)
      if (!service) return fail('NotFound', `There is no service ${key}.`)
      return list(call, key)
    },
  }),
  route({
    method: 'GET',
    path: '/rollouts',
    operationId: 'listRollouts',
    tag,
    summary: 'List rollouts',
    access: 'any',
    query: listQuery,
    answers: { 200: list200 },
    handle: (call) => list(call),
  }),
  route({
    method: 'GET',
    path: '/rollouts/{id}',
    operationId: 'getRollout',
    tag,
    summary: 'Show a rollout',
    description: 'With ?wait= the answer comes when it is over or waits for a person.',
    access: 'any',
    query: waitQuery,
    answers: { 200: one },
    failures: ['NotFound'],
    async handle(call) {
      const id = call.params.id ?? ''
      const rollout = await settled(call, id)
      const [view] = rollout ? await viewFor(call, [rollout]) : []
      return found('rollout', id, view, (json) => ({ status: 200, json }))
    },
  }),
]

async function list(call: Call<unknown, ListQuery>, service?: string): Promise<Result<Answer>> {
  const { deps, request, query } = call
  const page = await listRollouts(deps.store, {
    limit: limitOf(query),
    activeOnly: query.active === 'true',
    ...(service === undefined ? {} : { service }),
    ...(query.after === undefined ? {} : { after: query.after }),
  })
  return page.ok ? pageAnswer(request, await viewFor(call, page.value.rollouts), page.value.next) : page
}

/** Rollouts as their caller may see them. */
function viewFor(
  { deps, caller }: Call<unknown, unknown>,
  rollouts: readonly Rollout[],
): Promise<readonly RolloutView[]> {
  const sees = seesWebhooks(deps.store, caller)
  return Promise.all(rollouts.map(async (rollout) => viewRollout(rollout, await sees(rollout))))
}

/** The answer of a call that started or moved a rollout. */
export async function rolloutAnswer(
  call: Call<unknown, WaitQuery>,
  outcome: Result<Rollout>,
  status: 200 | 201,
): Promise<Result<Answer>> {
  if (!outcome.ok) return outcome
  const { id } = outcome.value
  const rollout = call.query.wait === undefined ? outcome.value : ((await settled(call, id)) ?? outcome.value)
  const location = status === 201 ? { headers: { location: addressOf(call.request, `/rollouts/${id}`) } } : {}
  const [json] = await viewFor(call, [rollout])
  const answer = { status, json, ...location }
  if (call.query.wait === undefined || hasSettled(rollout)) return succeed(answer)
  return succeed(acceptedAnswer(call.request, operationIds.rollout(id), answer))
}

/** The rollout once it is over or waits for a person, or as it is when the wait is over. */
function settled({ deps, request, query }: Call<unknown, WaitQuery>, id: string): Promise<Rollout | undefined> {
  const look = () => findRollout(deps.store, id)
  return waitFor(
    deps.clock,
    query.wait,
    request.signal,
    look,
    (rollout) => rollout === undefined || hasSettled(rollout),
  )
}

function hasSettled(rollout: Rollout): boolean {
  return isTerminal(rollout.phase) || AWAITING_PHASES.includes(rollout.phase)
}
