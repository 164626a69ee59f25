import * as z from 'zod'
import { entityTag } from '../../model/digest.ts'
import { keyOf, type PlacementDocument, type ServiceDocument } from '../../model/documents.ts'
import { type Result, succeed } from '../../model/failure.ts'
import { dnsLabel } from '../../model/names.ts'
import { serviceKey, serviceSpec } from '../../model/service.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { deleteService } from '../../services/delete-service.ts'
import { readExposure } from '../../services/hosts/read-exposure.ts'
import { putService } from '../../services/put-service.ts'
import { readPlacements } from '../../services/read-placements.ts'
import { operationIds } from '../operations.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { placementView, SERVICE_READ_ONLY, serviceView, viewPlacements, viewService } from '../views/service-view.ts'
import { type WaitQuery, waitFor, waitQuery } from '../wait.ts'
import { acceptedAnswer, found, patchOwned, patchSchema, putAnswer, settledAnswer } from './owned.ts'

const listQuery = pageQuery.extend({
  namespace: dnsLabel.optional().describe('Only services of this namespace'),
})

const common = { tag: 'Services', path: '/services/{namespace}/{name}' }
const one = { description: 'The service', schema: serviceView }
const put202 = { ...one, description: 'It is stored; not every cluster carried it within ?wait=' }

export const SERVICE_EXAMPLE = {
  team: 'shop',
  ports: [{ name: 'http', port: 80, protocol: 'http' }],
  versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
  initialVersion: 'v1',
  clusters: ['east'],
  traffic: { timeout: '5s', retries: { attempts: 2, perTryTimeout: '1s' } },
}

const PUT_FAILURES = [
  'Deleting',
  'RolloutInFlight',
  'HostTaken',
  'Conflict',
  'WriteConflict',
  'UnknownReference',
  'GuardRail',
  'UnsupportedFeature',
  'InvalidCombination',
] as const

export const SERVICE_ROUTES: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/services',
    operationId: 'listServices',
    summary: 'List services',
    access: 'any',
    query: listQuery,
    answers: { 200: { description: 'One page', schema: listOf(serviceView) } },
    handle: list,
  }),
  route({
    ...common,
    method: 'GET',
    operationId: 'getService',
    summary: 'Show a service',
    access: 'any',
    answers: { 200: one },
    failures: ['NotFound'],
    async handle({ deps, params }) {
      const key = keyOfCall(params)
      const service = (await deps.store.read('service', key))?.value
      const placements = service ? await readPlacements(deps.store, service) : []
      return found('service', key, service, (document) => ({
        status: 200,
        json: viewService(document, placements),
        etag: entityTag(key, document.spec),
      }))
    },
  }),
  route({
    ...common,
    method: 'PUT',
    operationId: 'putService',
    summary: 'Register or replace a service',
    description:
      'Meshwright brings every cluster that the service names to what is written here. It says nothing about which version is stable: only rollouts move that.',
    access: ['Mesh.Deployer'],
    query: waitQuery,
    body: { schema: serviceSpec, readOnly: SERVICE_READ_ONLY, example: SERVICE_EXAMPLE },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 201: { ...one, description: 'The new service' }, 202: put202 },
    failures: PUT_FAILURES,
    async handle(call) {
      const { deps, params, body, context } = call
      return afterPut(call, await putService(deps, params.namespace ?? '', params.name ?? '', body, context))
    },
  }),
  route({
    ...common,
    method: 'PATCH',
    operationId: 'patchService',
    summary: 'Change a service',
    access: ['Mesh.Deployer'],
    query: waitQuery,
    body: {
      schema: patchSchema,
      media: 'merge',
      readOnly: SERVICE_READ_ONLY,
      example: { traffic: { timeout: '3s' } },
    },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 202: put202 },
    failures: ['NotFound', ...PUT_FAILURES],
    handle: patch,
  }),
  route({
    ...common,
    method: 'DELETE',
    operationId: 'deleteService',
    summary: 'Remove a service',
    description: 'What Meshwright wrote is pruned from every cluster, then the service is gone.',
    access: ['Mesh.Deployer'],
    query: waitQuery,
    conditional: true,
    answers: { 202: { description: 'It is being pruned' }, 204: { description: 'It is gone' } },
    failures: ['NotFound', 'RolloutInFlight', 'WriteConflict'],
    handle: remove,
  }),
  route({
    ...common,
    method: 'GET',
    path: '/services/{namespace}/{name}/placements',
    operationId: 'listPlacements',
    summary: 'Show a service on each of its clusters',
    access: 'any',
    answers: {
      200: { description: 'One entry a cluster', schema: z.object({ value: z.array(placementView) }) },
    },
    failures: ['NotFound'],
    async handle({ deps, params }) {
      const key = keyOfCall(params)
      const service = (await deps.store.read('service', key))?.value
      const placements = service ? await readPlacements(deps.store, service) : []
      const exposed = service ? await readExposure(deps.store, service) : {}
      return found('service', key, service, (document) => ({
        status: 200,
        json: { value: viewPlacements(document, placements, exposed) },
      }))
    },
  }),
]

function keyOfCall(params: Readonly<Record<string, string>>): string {
  return serviceKey(params.namespace ?? '', params.name ?? '')
}

async function list({ deps, request, query }: Call<unknown, z.infer<typeof listQuery>>): Promise<Result<Answer>> {
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const page = await deps.store.list('service', {
    limit: limitOf(query),
    ...(after.value === undefined ? {} : { after: after.value }),
    ...(query.namespace === undefined ? {} : { prefix: `${query.namespace}/` }),
  })
  const views = await Promise.all(
    page.value.map(async ({ value }) => viewService(value, await readPlacements(deps.store, value))),
  )
  return pageAnswer(request, views, page.next === undefined ? undefined : encodePlace(page.next))
}

async function patch(call: Call<Record<string, unknown>, WaitQuery>): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const key = keyOfCall(params)
  const outcome = await patchOwned({
    what: 'service',
    key,
    patch: body,
    schema: serviceSpec,
    context,
    read: async () => (await deps.store.read('service', key))?.value.spec,
    put: (spec, conditions) => putService(deps, params.namespace ?? '', params.name ?? '', spec, conditions),
  })
  return afterPut(call, outcome)
}

/** Waits, where asked, until every cluster carries the change. */
async function afterPut(
  call: Call<unknown, WaitQuery>,
  outcome: Result<PutOutcome<ServiceDocument>>,
): Promise<Result<Answer>> {
  if (!outcome.ok) return outcome
  const { deps, request, query } = call
  const { document: written, warnings } = outcome.value
  const { namespace, name, spec, generation } = written
  const key = keyOf(written)
  const look = async (): Promise<readonly [ServiceDocument, readonly PlacementDocument[]]> => {
    const service = query.wait === undefined ? written : ((await deps.store.read('service', key))?.value ?? written)
    return [service, await readPlacements(deps.store, service)]
  }
  const view = ([service, placements]: Awaited<ReturnType<typeof look>>) => viewService(service, placements, warnings)
  const isDone = (seen: Awaited<ReturnType<typeof look>>) => view(seen).observedGeneration >= generation
  const seen = await waitFor(deps.clock, query.wait, request.signal, look, isDone)
  const answer = putAnswer(request, outcome.value, {
    path: `/services/${namespace}/${name}`,
    key,
    spec,
    view: view(seen),
  })
  const operation = operationIds.service(namespace, name, generation)
  return succeed(settledAnswer(call, answer, { operation, isDone: isDone(seen) }))
}

async function remove({ deps, params, request, query, context }: Call<unknown, WaitQuery>): Promise<Result<Answer>> {
  const { namespace = '', name = '' } = params
  const started = await deleteService(deps, namespace, name, context)
  if (!started.ok) return started
  if (started.value.removed) return succeed({ status: 204 })
  const look = () => deps.store.read('service', serviceKey(namespace, name))
  const left = await waitFor(deps.clock, query.wait, request.signal, look, (stored) => stored === undefined)
  if (!left) return succeed({ status: 204 })
  return succeed(acceptedAnswer(request, operationIds.service(namespace, name, 'delete')))
}
