import * as z from 'zod'
import { checkAccess } from '../../clusters/check-access.ts'
import { checkMetrics } from '../../clusters/check-metrics.ts'
import { deleteCluster } from '../../clusters/delete-cluster.ts'
import { putCluster } from '../../clusters/put-cluster.ts'
import { showTrust } from '../../clusters/show-trust.ts'
import { clusterSpec } from '../../model/cluster.ts'
import { entityTag } from '../../model/digest.ts'
import type { ClusterDocument } from '../../model/documents.ts'
import { type FailureCode, type Result, succeed } from '../../model/failure.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { operationIds } from '../operations.ts'
import { decodePlace, encodePlace, limitOf, listOf, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { accessView, CLUSTER_READ_ONLY, clusterView, metricsView, viewCluster } from '../views/cluster-view.ts'
import { trustView } from '../views/trust-view.ts'
import { type WaitQuery, waitFor, waitQuery } from '../wait.ts'
import { acceptedAnswer, found, patchOwned, patchSchema, putAnswer, settledAnswer } from './owned.ts'

const common = { tag: 'Clusters', path: '/clusters/{cluster}' }
const one = { description: 'The cluster', schema: clusterView }
const put202 = { ...one, description: 'It is stored; the cluster was not looked at within ?wait=' }

/** `orphan`: do not wait for the cluster, leave what was written there. */
const deleteQuery = waitQuery.extend({ orphan: z.enum(['true', 'false']).optional() })

const PUT_FAILURES: readonly FailureCode[] = [
  'Deleting',
  'InUse',
  'WriteConflict',
  'UnknownReference',
  'UnsupportedFeature',
  'InvalidCombination',
  'NotBuilt',
]

export const CLUSTER_ROUTES: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/clusters',
    operationId: 'listClusters',
    summary: 'List clusters',
    access: 'any',
    query: pageQuery,
    answers: { 200: { description: 'One page', schema: listOf(clusterView) } },
    handle: list,
  }),
  route({
    ...common,
    method: 'GET',
    operationId: 'getCluster',
    summary: 'Show a cluster',
    access: 'any',
    answers: { 200: one },
    failures: ['NotFound'],
    async handle({ deps, params: { cluster = '' } }) {
      const stored = await deps.store.read('cluster', cluster)
      return found('cluster', cluster, stored?.value, (document) => ({
        status: 200,
        json: viewCluster(document),
        etag: entityTag(cluster, document.spec),
      }))
    },
  }),
  route({
    ...common,
    method: 'PUT',
    operationId: 'putCluster',
    summary: 'Register or replace a cluster',
    description:
      'By the ARM id of an AKS cluster with Entra ID (its endpoint comes from Azure, each request has an Entra token), or by a kubeconfig context. Nothing is written to a cluster until a service names it. The mesh is found out within seconds.',
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: {
      schema: clusterSpec,
      readOnly: CLUSTER_READ_ONLY,
      example: {
        kubeconfig: { context: 'east' },
        labels: { env: 'prod' },
        metrics: { prometheus: { url: 'http://127.0.0.1:9090' } },
      },
    },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 201: { ...one, description: 'The new cluster' }, 202: put202 },
    failures: PUT_FAILURES,
    async handle(call) {
      const { deps, params, body, context } = call
      return afterPut(call, await putCluster(deps, params.cluster ?? '', body, context))
    },
  }),
  route({
    ...common,
    method: 'PATCH',
    operationId: 'patchCluster',
    summary: 'Change a cluster',
    access: ['Mesh.Operator'],
    query: waitQuery,
    body: { schema: patchSchema, media: 'merge', readOnly: CLUSTER_READ_ONLY, example: { mode: 'manage' } },
    conditional: true,
    repeatable: true,
    answers: { 200: one, 202: put202 },
    failures: ['NotFound', ...PUT_FAILURES],
    handle: patch,
  }),
  route({
    ...common,
    method: 'DELETE',
    operationId: 'deleteCluster',
    summary: 'Let go of a cluster',
    description:
      'Services that chose it by label are taken off it first; services that name it stand in the way. ?orphan=true is for a cluster that will never answer again: what was written there stays there.',
    access: ['Mesh.Operator'],
    query: deleteQuery,
    conditional: true,
    answers: { 202: { description: 'Services are being taken off it' }, 204: { description: 'It is gone' } },
    failures: ['NotFound', 'InUse', 'WriteConflict'],
    handle: remove,
  }),
  route({
    ...common,
    method: 'GET',
    path: '/clusters/{cluster}/access',
    operationId: 'getClusterAccess',
    summary: 'Show which rights Meshwright has on a cluster, and which are missing',
    access: 'any',
    query: z.strictObject({
      for: z.enum(['import']).optional().describe('Also what POST /clusters/{cluster}/import needs to list'),
    }),
    answers: { 200: { description: 'Every right that is needed', schema: accessView } },
    failures: ['NotFound'],
    async handle({ deps, params, query }) {
      const report = await checkAccess(deps, params.cluster ?? '', query.for === 'import')
      return report.ok ? succeed({ status: 200, json: report.value }) : report
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/clusters/{cluster}/trust',
    operationId: 'getClusterTrust',
    summary: "Show which roots the mesh's proxies trust on a cluster",
    description:
      'Looks now, whether a mesh CA is registered for the cluster or not. Public parts alone: subjects, serials, ends. Needs infra/kubernetes/trust-role.yaml.',
    access: 'any',
    answers: { 200: { description: 'What was read, and how the CA is rotated', schema: trustView } },
    failures: ['NotFound'],
    async handle({ deps, params }) {
      const report = await showTrust(deps, params.cluster ?? '')
      return report.ok ? succeed({ status: 200, json: structuredClone(report.value) }) : report
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/clusters/{cluster}/metrics',
    operationId: 'getClusterMetrics',
    summary: 'Show whether gates would see anything on a cluster, and what is missing',
    description:
      'Looks now. Where managed Prometheus does not scrape the mesh, the answer holds the ConfigMap to apply on the cluster.',
    access: 'any',
    answers: { 200: { description: 'What a look at the metrics found', schema: metricsView } },
    failures: ['NotFound'],
    async handle({ deps, params }) {
      const report = await checkMetrics(deps, params.cluster ?? '')
      return report.ok ? succeed({ status: 200, json: report.value }) : report
    },
  }),
]

async function list({ deps, request, query }: Call<unknown, z.infer<typeof pageQuery>>): Promise<Result<Answer>> {
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const place = after.value === undefined ? {} : { after: after.value }
  const page = await deps.store.list('cluster', { limit: limitOf(query), ...place })
  const views = page.value.map(({ value }) => viewCluster(value))
  return pageAnswer(request, views, page.next === undefined ? undefined : encodePlace(page.next))
}

async function patch(call: Call<Record<string, unknown>, WaitQuery>): Promise<Result<Answer>> {
  const { deps, params, body, context } = call
  const name = params.cluster ?? ''
  const outcome = await patchOwned({
    what: 'cluster',
    key: name,
    patch: body,
    schema: clusterSpec,
    context,
    read: async () => (await deps.store.read('cluster', name))?.value.spec,
    put: (spec, conditions) => putCluster(deps, name, spec, conditions),
  })
  return afterPut(call, outcome)
}

/** Waits, where asked, until the change was looked at on the cluster. */
async function afterPut(
  call: Call<unknown, WaitQuery>,
  outcome: Result<PutOutcome<ClusterDocument>>,
): Promise<Result<Answer>> {
  if (!outcome.ok) return outcome
  const { deps, request, query } = call
  const { document: written, warnings } = outcome.value
  const { name, spec, generation } = written
  const isDone = (document: ClusterDocument) => document.observedGeneration >= generation
  const look = async () => (await deps.store.read('cluster', name))?.value ?? written
  const document =
    query.wait === undefined ? written : await waitFor(deps.clock, query.wait, request.signal, look, isDone)
  const resource = { path: `/clusters/${name}`, key: name, spec, view: viewCluster(document, warnings) }
  const answer = putAnswer(request, outcome.value, resource)
  const operation = operationIds.cluster(name, generation)
  return succeed(settledAnswer(call, answer, { operation, isDone: isDone(document) }))
}

async function remove({
  deps,
  params,
  request,
  query,
  context,
}: Call<unknown, z.infer<typeof deleteQuery>>): Promise<Result<Answer>> {
  const name = params.cluster ?? ''
  const started = await deleteCluster(deps, name, context, { orphan: query.orphan === 'true' })
  if (!started.ok) return started
  const look = () => deps.store.read('cluster', name)
  const left = await waitFor(deps.clock, query.wait, request.signal, look, (stored) => stored === undefined)
  if (!left) return succeed({ status: 204 })
  return succeed(acceptedAnswer(request, operationIds.cluster(name, 'delete')))
}
