import { type Result, succeed } from '../../model/failure.ts'
import { rolloutRequest } from '../../model/rollout.ts'
import type { Forecast } from '../../rollouts/plan/forecast.ts'
import { type Answer, type Route, route } from '../route.ts'
import { forecastView, viewForecast } from '../views/forecast-view.ts'
import { ROLLOUT_EXAMPLE, START_FAILURES } from './rollouts.ts'

const common = { method: 'POST', tag: 'Rollouts' } as const
const answers = { 200: { description: 'What is to come, at the earliest', schema: forecastView } }
const WORDS =
  'Predicts from the requests that the service gets now: when each wave and step begins and ends at the earliest, how many requests gates will see and how many they need, and what will hold it back. Warns when a gate cannot decide in time. Nothing is written.'

export const ROLLOUT_PLAN_ROUTES: readonly Route[] = [
  route({
    ...common,
    path: '/services/{namespace}/{name}/rollouts/plan',
    operationId: 'planRollout',
    summary: 'Show what a rollout would come to',
    description: `Makes all the checks of a start, and fails as it would. ${WORDS}`,
    access: ['Mesh.Deployer'],
    body: { schema: rolloutRequest, example: ROLLOUT_EXAMPLE },
    answers,
    failures: ['NotFound', ...START_FAILURES],
    async handle({ deps, params, body, context }) {
      // The judge is heavy to load.
      const { planStart } = await import('../../rollouts/plan/plan-start.ts')
      return planAnswer(await planStart(deps, params.namespace ?? '', params.name ?? '', body, context))
    },
  }),
  route({
    ...common,
    path: '/rollouts/{id}/plan',
    operationId: 'planRestOfRollout',
    summary: 'Show what is left of a live rollout',
    description: WORDS,
    access: 'any',
    answers,
    failures: ['NotFound', 'RolloutState'],
    async handle({ deps, params }) {
      const { planRest } = await import('../../rollouts/plan/plan-rest.ts')
      return planAnswer(await planRest(deps, params.id ?? ''))
    },
  }),
]

function planAnswer(planned: Result<Forecast>): Result<Answer> {
  return planned.ok ? succeed({ status: 200, json: viewForecast(planned.value) }) : planned
}
