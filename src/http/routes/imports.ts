import * as z from 'zod'
import { PROVIDERS } from '../../model/cluster.ts'
import type { Result } from '../../model/failure.ts'
import { dnsLabel } from '../../model/names.ts'
import { serviceSpec } from '../../model/service.ts'
import { importServices } from '../../services/import/import-services.ts'
import { decodePlace, encodePlace, pageAnswer, pageQuery } from '../paging.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'
import { objectRef } from '../views/common.ts'
import { findingView } from '../views/plan-view.ts'

/** Each service that is registered is a write: pages are short. */
const PAGE = 50

const importBody = z
  .strictObject({
    namespaces: z.array(dnsLabel).min(1).max(100).optional().describe('Only services there; all when left out'),
    team: dnsLabel.optional().describe('Whose the services are. Left out: the only team that owns their namespace'),
  })
  .meta({ id: 'ClusterImportRequest' })

const importFindingView = findingView.extend({
  code: z.string().describe('See docs/import.md'),
  field: z.string().optional().describe('JSON pointer into the object'),
})

const importView = z
  .object({
    cluster: z.string(),
    provider: z.enum(PROVIDERS),
    value: z.array(
      z.object({
        service: z.string(),
        result: z
          .enum(['created', 'planned', 'registered', 'failed'])
          .describe('registered: it was there before, and stays as it is. planned: it would be created'),
        objects: z.array(objectRef).describe('What was read for it'),
        spec: z.object(serviceSpec.shape).optional().describe('What was read, or could be'),
        failure: z
          .object({
            code: z.string(),
            detail: z.string(),
            errors: z.array(z.object({ pointer: z.string(), reason: z.string() })).optional(),
          })
          .optional(),
        findings: z.array(importFindingView).describe('Empty: what Meshwright would write has the same effect'),
      }),
    ),
    findings: z.array(importFindingView).describe('Of objects that are for no one service; on the first page'),
    nextLink: z.url().optional().describe('POST the same body there for the next page'),
  })
  .meta({ id: 'ClusterImport' })

const common = {
  method: 'POST',
  tag: 'Clusters',
  query: pageQuery,
  body: { schema: importBody.optional(), optional: true, example: { namespaces: ['shop'] } },
  answers: { 200: { description: 'What became of each service', schema: importView } },
  failures: ['NotFound', 'Deleting', 'Conflict', 'UnsupportedFeature', 'NotBuilt'],
} as const

const WORDS = `Reads what others wrote for the mesh (Istio, Linkerd, Gateway API) and turns it into services in mode observe. Nothing is written to the cluster. What was read is rendered and compared with what is there: every difference in effect is a finding. ${PAGE} services a page when limit is left out.`

export const IMPORT_ROUTES: readonly Route[] = [
  route({
    ...common,
    path: '/clusters/{cluster}/import',
    operationId: 'importServices',
    summary: 'Register the services that a cluster has already',
    description: `${WORDS} A service that is registered stays as it is, so the same request again creates nothing.`,
    access: ['Mesh.Deployer'],
    handle: (call) => answer(call, true),
  }),
  route({
    ...common,
    path: '/clusters/{cluster}/import/plan',
    operationId: 'planImport',
    summary: 'Show what an import would register',
    description: `${WORDS} Registers nothing.`,
    access: ['Mesh.Deployer', 'Mesh.Operator'],
    handle: (call) => answer(call, false),
  }),
]

type ImportCall = Call<z.infer<typeof importBody> | undefined, z.infer<typeof pageQuery>>

async function answer(call: ImportCall, isDone: boolean): Promise<Result<Answer>> {
  const { deps, params, query, body, request, context } = call
  const { cluster = '' } = params
  const after = decodePlace(query.after)
  if (!after.ok) return after
  const limit = query.limit === undefined ? PAGE : Number(query.limit)
  const imported = await importServices(deps, { ...body, cluster, isDone, after: after.value, limit }, context)
  if (!imported.ok) return imported
  const { value, findings, next, provider } = imported.value
  return pageAnswer(request, value, next === undefined ? undefined : encodePlace(next), { cluster, provider, findings })
}
