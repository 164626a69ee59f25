import * as z from 'zod'
import { entityTag } from '../../model/digest.ts'
import type { PolicyDocument } from '../../model/documents.ts'
import { type Result, succeed } from '../../model/failure.ts'
import { dnsLabel } from '../../model/names.ts'
import { sharedPolicySpec } from '../../model/policy/shared-policy.ts'
import { serviceKey } from '../../model/service.ts'
import { deletePolicy } from '../../policies/delete-policy.ts'
import { planPolicy } from '../../policies/plan-policy.ts'
import { putPolicy } from '../../policies/put-policy.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { showPolicy } from '../../services/show-policy.ts'
import { operationIds } from '../operations.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { effectiveView, POLICY_READ_ONLY, policyPlanView, policyView, viewPolicy } from '../views/policy-view.ts'
import { type WaitQuery, waitFor, waitQuery } from '../wait.ts'
import { acceptedAnswer, found, patchOwned, patchSchema, putAnswer, settledAnswer } from './owned.ts'

const common = { tag: 'Policies', path: '/policies/{name}' }
const one = { description: 'The policy', schema: policyView }
const later = { ...one, description: 'It is stored; not every service carried it within ?wait=' }
const body = { readOnly: POLICY_READ_ONLY }
const example = {
  appliesTo: { team: 'shop' },
  traffic: { timeout: '5s' },
  guardRails: { maxTimeout: '30s', noFaults: true },
  waves: { percents: [10], bake: '5m' },
}

const PUT_FAILURES = [
  'Deleting',
  'WriteConflict',
  'UnknownReference',
  'GuardRail',
  'UnsupportedFeature',
  'InvalidCombination',
] as const

export const POLICY_ROUTES: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/policies',
    operationId: 'listPolicies',
    summary: 'List policies',
    access: 'any',
    query: pageQuery,
    answers: { 200: { description: 'One page', schema: listOf(policyView) } },
    handle: list,
  }),
  route({
    ...common,
    method: 'GET',
    operationId: 'getPolicy',
    summary: 'Show a policy and how far it has come',
    access: 'any',
    answers: { 200: one },
    failures: ['NotFound'],
    async handle({ deps, params: { name = '' } }) {
      const stored = await deps.store.read('policy', name)
      return found('policy', name, stored?.value, (document) => ({
        status: 200,
        json: viewPolicy(document),
        etag: entityTag(name, document.spec),
      }))
    },
  }),
  route({
    ...common,
    method: 'PUT',
    operationId: 'putPolicy',
    summary: 'Create or replace a policy for many services',
    description:
      "It lies beneath the words of every service that it holds for, and reaches them in waves: one placement, then a share, then the rest, each when the wave before is live. Guard rails are stronger than a service's words. Refused whole when a service would not keep them, or could not carry the policy.",
    access: ['Mesh.Admin'],
    query: waitQuery,
    body: { ...body, schema: sharedPolicySpec, example },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 201: { ...one, description: 'The new policy' }, 202: later },
    failures: PUT_FAILURES,
    async handle(call) {
      const { deps, params, body: spec, context } = call
      return afterPut(call, await putPolicy(deps, params.name ?? '', spec, context))
    },
  }),
  route({
    ...common,
    method: 'PATCH',
    operationId: 'patchPolicy',
    summary: 'Change a policy',
    access: ['Mesh.Admin'],
    query: waitQuery,
    body: { ...body, schema: patchSchema, media: 'merge', example: { traffic: { timeout: '3s' } } },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 202: later },
    failures: ['NotFound', ...PUT_FAILURES],
    handle: patch,
  }),
  route({
    ...common,
    method: 'DELETE',
    operationId: 'deletePolicy',
    summary: 'Remove a policy',
    description:
      'It is taken off services in waves, then it is gone. Refused when services would break a guard rail of another policy without it.',
    access: ['Mesh.Admin'],
    query: waitQuery,
    conditional: true,
    answers: { 202: { description: 'It is being taken off services' }, 204: { description: 'It is gone' } },
    failures: ['NotFound', 'WriteConflict', 'GuardRail', 'UnsupportedFeature', 'InvalidCombination'],
    handle: remove,
  }),
  route({
    ...common,
    method: 'POST',
    path: '/policies/{name}/plan',
    operationId: 'planPolicy',
    summary: 'Show what a change of a policy would do to services',
    description:
      'With a body: what a PUT of it would do, and what it would be refused for. Without: what is stored and not yet done.',
    access: ['Mesh.Deployer', 'Mesh.Operator'],
    body: { ...body, schema: sharedPolicySpec.optional(), optional: true, example },
    answers: { 200: { description: 'What would change', schema: policyPlanView } },
    failures: ['NotFound'],
    async handle({ deps, params, body: spec }) {
      const planned = await planPolicy(deps, params.name ?? '', spec)
      return planned.ok ? succeed({ status: 200, json: planned.value }) : planned
    },
  }),
  route({
    tag: 'Services',
    method: 'GET',
    path: '/services/{namespace}/{name}/effective',
    operationId: 'getEffectivePolicy',
    summary: 'Show the policy that holds for a service, and where each field comes from',
    access: 'any',
    query: z.strictObject({ cluster: dnsLabel.optional().describe('Only there; each of its clusters when left out') }),
    answers: { 200: { description: 'One entry a cluster', schema: z.object({ value: z.array(effectiveView) }) } },
    failures: ['NotFound'],
    async handle({ deps, params, query }) {
      const shown = await showPolicy(deps.store, serviceKey(params.namespace ?? '', params.name ?? ''), query.cluster)
      return shown.ok ? succeed({ status: 200, json: { value: shown.value } }) : shown
    },
  }),
]

async function list({ deps, request, query }: Call<unknown, z.infer<typeof pageQuery>>): Promise<Result<Answer>> {
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const place = after.value === undefined ? {} : { after: after.value }
  const page = await deps.store.list('policy', { limit: limitOf(query), ...place })
  const views = page.value.map(({ value }) => viewPolicy(value))
  return pageAnswer(request, views, page.next === undefined ? undefined : encodePlace(page.next))
}

async function patch(call: Call<Record<string, unknown>, WaitQuery>): Promise<Result<Answer>> {
  const { deps, params, body: change, context } = call
  const name = params.name ?? ''
  const outcome = await patchOwned({
    what: 'policy',
    key: name,
    patch: change,
    schema: sharedPolicySpec,
    context,
    read: async () => (await deps.store.read('policy', name))?.value.spec,
    put: (spec, conditions) => putPolicy(deps, name, spec, conditions),
  })
  return afterPut(call, outcome)
}

/** Waits, where asked, until every service carries it. */
async function afterPut(
  call: Call<unknown, WaitQuery>,
  outcome: Result<PutOutcome<PolicyDocument>>,
): Promise<Result<Answer>> {
  if (!outcome.ok) return outcome
  const { deps, request, query } = call
  const { document: written, warnings } = outcome.value
  const { name, spec, generation } = written
  const look = async () =>
    query.wait === undefined ? written : ((await deps.store.read('policy', name))?.value ?? written)
  const isDone = (seen: PolicyDocument) => seen.observedGeneration >= generation
  const seen = await waitFor(deps.clock, query.wait, request.signal, look, isDone)
  const path = `/policies/${name}`
  const answer = putAnswer(request, outcome.value, { path, key: name, spec, view: viewPolicy(seen, warnings) })
  const operation = operationIds.policy(name, generation)
  return succeed(settledAnswer(call, answer, { operation, isDone: isDone(seen) }))
}

async function remove({ deps, params, request, query, context }: Call<unknown, WaitQuery>): Promise<Result<Answer>> {
  const { name = '' } = params
  const started = await deletePolicy(deps, name, context)
  if (!started.ok) return started
  if (started.value.removed) return succeed({ status: 204 })
  const look = () => deps.store.read('policy', name)
  const left = await waitFor(deps.clock, query.wait, request.signal, look, (stored) => stored === undefined)
  if (!left) return succeed({ status: 204 })
  return succeed(acceptedAnswer(request, operationIds.policy(name, 'delete')))
}
