import * as z from 'zod'
import { servicesOn } from '../../clusters/services-on.ts'
import { SEVERITIES, type Severity } from '../../mesh/lint/codes.ts'
import { isAsBad, worstOf } from '../../mesh/lint/finding.ts'
import { fail, type Result, succeed } from '../../model/failure.ts'
import { serviceSpec } from '../../model/service.ts'
import { planOnCluster, planService } from '../../services/plan-service.ts'
import { decodePlace, encodePlace, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { planView } from '../views/plan-view.ts'
import { SERVICE_READ_ONLY } from '../views/service-view.ts'
import { SERVICE_EXAMPLE } from './services.ts'

/** What pipelines may fail on. */
const FAIL_ON = ['error', 'warning'] as const satisfies readonly Severity[]

/** A plan asks the cluster several things for each service: pages are short. */
const PAGE = 20

const servicePlanView = z
  .object({
    value: z.array(planView).describe('One plan a cluster'),
    warnings: z.array(z.string()),
    waves: z
      .array(z.array(z.string()))
      .optional()
      .describe(
        "Clusters, wave by wave, in which a change of the service's own policy reaches them, as things are now. Absent: it waits nowhere",
      ),
    worst: z.enum(SEVERITIES).optional().describe('The worst severity of all findings. Absent: there are none'),
    passed: z.boolean().describe('No finding is as bad as failOn, or worse'),
  })
  .meta({ id: 'ServicePlan' })

const servicePlanQuery = z.strictObject({
  failOn: z.enum(FAIL_ON).default('error').describe('The severity from which on the plan has not passed'),
})

/** As of a service, with the place in the list. */
const clusterPlanQuery = pageQuery.extend(servicePlanQuery.shape)

const clusterPlanView = z
  .object({
    cluster: z.string(),
    mode: z.enum(['manage', 'observe']),
    value: z.array(z.object({ service: z.string(), plan: planView })),
    worst: z.enum(SEVERITIES).optional().describe('The worst severity of all findings on this page'),
    passed: z.boolean().describe('No finding on this page is as bad as failOn, or worse'),
    nextLink: z.url().optional(),
  })
  .meta({ id: 'ClusterPlan' })

export const PLAN_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/services/{namespace}/{name}/plan',
    operationId: 'planService',
    tag: 'Services',
    summary: 'Show what a change would do on the clusters',
    description:
      'With a body: what a PUT of it would do. Without: what is stored and not yet done. The servers check it as on a write (dry run); nothing is kept. It answers 200 whatever it finds: pipelines go by `passed`. Every code of a finding is in docs/lint.md.',
    access: ['Mesh.Deployer', 'Mesh.Operator'],
    query: servicePlanQuery,
    body: {
      schema: serviceSpec.optional(),
      optional: true,
      readOnly: SERVICE_READ_ONLY,
      example: SERVICE_EXAMPLE,
    },
    answers: { 200: { description: 'One plan a cluster', schema: servicePlanView } },
    failures: [
      'NotFound',
      'Deleting',
      'RolloutInFlight',
      'HostTaken',
      'Conflict',
      'UnknownReference',
      'GuardRail',
      'UnsupportedFeature',
      'InvalidCombination',
    ],
    async handle({ deps, params, query, body, caller }) {
      const { namespace = '', name = '' } = params
      const planned = await planService(deps, namespace, name, body, caller)
      if (!planned.ok) return planned
      const { plans, warnings, waves, worst } = planned.value
      const passed = !isAsBad(worst, query.failOn)
      const json = { value: plans, warnings, ...(waves ? { waves } : {}), ...(worst ? { worst } : {}), passed }
      return succeed({ status: 200, json })
    },
  }),
  route({
    method: 'GET',
    path: '/clusters/{cluster}/plan',
    operationId: 'planCluster',
    tag: 'Clusters',
    summary: 'Show what is not yet done on a cluster',
    description: `What carrying out each service would do there now; in observe this is what waits. ${PAGE} services a page when limit is left out; a pipeline follows nextLink and goes by \`passed\` of each page.`,
    access: 'any',
    query: clusterPlanQuery,
    answers: { 200: { description: 'One plan a service', schema: clusterPlanView } },
    failures: ['NotFound'],
    handle: planCluster,
  }),
]

async function planCluster(call: Call<unknown, z.infer<typeof clusterPlanQuery>>): Promise<Result<Answer>> {
  const { deps, params, query, request } = call
  const { cluster = '' } = params
  const stored = await deps.store.read('cluster', cluster)
  if (!stored) return fail('NotFound', `There is no cluster ${cluster}.`)
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const behind = after.value ?? ''
  const services = (await servicesOn(deps.store, cluster)).filter((key) => key > behind)
  const page = services.slice(0, query.limit === undefined ? PAGE : Number(query.limit))
  const last = page.at(-1)
  const next = last !== undefined && page.length < services.length ? encodePlace(last) : undefined
  const value = await planOnCluster(deps, cluster, page)
  const worst = worstOf(value.flatMap(({ plan }) => plan.findings))
  const passed = !isAsBad(worst, query.failOn)
  return pageAnswer(request, value, next, {
    cluster,
    mode: stored.value.spec.mode,
    ...(worst ? { worst } : {}),
    passed,
  })
}
