import * as z from 'zod'
import { putCertificate } from '../../certificates/put-certificate.ts'
import { putCluster } from '../../clusters/put-cluster.ts'
import { putFreeze } from '../../freezes/put-freeze.ts'
import { putMeshCa } from '../../mesh-ca/put-mesh-ca.ts'
import type { Result } from '../../model/failure.ts'
import type { RequestContext } from '../../model/request.ts'
import { putPolicy } from '../../policies/put-policy.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { putService } from '../../services/put-service.ts'
import { putStrategy } from '../../strategies/put-strategy.ts'
import { putTeam } from '../../teams/put-team.ts'
import type { HttpDeps } from '../http-deps.ts'
import type { DesiredState } from './desired-state.ts'

export const importReport = z
  .object({
    value: z
      .array(
        z.object({
          kind: z.enum(['team', 'strategy', 'freeze', 'policy', 'cluster', 'certificate', 'mesh-ca', 'service']),
          name: z.string(),
          result: z.enum(['created', 'updated', 'unchanged', 'failed']),
          warnings: z.array(z.string()).optional(),
          failure: z
            .object({
              code: z.string(),
              detail: z.string(),
              errors: z.array(z.object({ pointer: z.string(), reason: z.string() })).optional(),
            })
            .optional(),
        }),
      )
      .describe('One entry an item, in the order in which they were written'),
    failed: z.int().describe('How many items were not written'),
    accept: z
      .array(z.object({ cluster: z.string(), plan: z.string(), body: z.object({ mode: z.literal('manage') }) }))
      .describe(
        'Clusters are imported in observe: nothing is written to them until you have looked at the plan and sent the body as PATCH /clusters/{cluster}',
      ),
  })
  .meta({ id: 'ImportReport' })
export type ImportReport = z.infer<typeof importReport>
type Item = ImportReport['value'][number]

/**
 * Writes a desired state item by item, what others refer to first. An item that is refused is reported and the rest goes
 * on: import the corrected state again, what is the same stays unchanged. Clusters come in `observe`.
 */
export async function importState(deps: HttpDeps, state: DesiredState, context: RequestContext): Promise<ImportReport> {
  const items: Item[] = []
  const take = async (kind: Item['kind'], name: string, put: Promise<Result<PutOutcome<unknown>>>) => {
    items.push(report(kind, name, await put))
  }
  for (const { name, ...spec } of state.teams) await take('team', name, putTeam(deps, name, spec, context))
  for (const { name, ...spec } of state.strategies) await take('strategy', name, putStrategy(deps, name, spec, context))
  for (const { name, ...spec } of state.freezes) await take('freeze', name, putFreeze(deps, name, spec, context))
  for (const { name, ...spec } of state.policies) await take('policy', name, putPolicy(deps, name, spec, context))
  for (const { name, ...spec } of state.clusters) {
    await take('cluster', name, putCluster(deps, name, { ...spec, mode: 'observe' }, context))
  }
  for (const { name, ...spec } of state.certificates) {
    await take('certificate', name, putCertificate(deps, name, spec, context))
  }
  for (const { name, ...spec } of state.meshCas) await take('mesh-ca', name, putMeshCa(deps, name, spec, context))
  for (const { namespace, name, stable, ...spec } of state.services) {
    const key = `${namespace}/${name}`
    const outcome = await putService(deps, namespace, name, spec, context, stable)
    const item = report('service', key, outcome)
    const warnings = outcome.ok ? stableWarnings(stable, outcome.value.document.targets) : []
    items.push(warnings.length > 0 ? { ...item, warnings: [...(item.warnings ?? []), ...warnings] } : item)
  }
  const written = items.filter(({ kind, result }) => kind === 'cluster' && result !== 'failed')
  return {
    value: items,
    failed: items.filter(({ result }) => result === 'failed').length,
    accept: written.map(({ name }) => ({
      cluster: name,
      plan: `/api/v1/clusters/${name}/plan`,
      body: { mode: 'manage' },
    })),
  }
}

function report(kind: Item['kind'], name: string, outcome: Result<PutOutcome<unknown>>): Item {
  if (outcome.ok) {
    const { status, warnings } = outcome.value
    return { kind, name, result: status, ...(warnings.length > 0 ? { warnings: [...warnings] } : {}) }
  }
  const { code, detail, errors } = outcome.failure
  const fields = errors === undefined ? {} : { errors: errors.map((error) => ({ ...error })) }
  return { kind, name, result: 'failed', failure: { code, detail, ...fields } }
}

/** Where the service is already, only a rollout moves stable: the import did not. */
function stableWarnings(
  wanted: Readonly<Record<string, string>>,
  targets: Readonly<Record<string, { readonly stable: string }>>,
): readonly string[] {
  return Object.entries(wanted).flatMap(([cluster, version]) => {
    const stable = targets[cluster]?.stable
    if (stable === undefined || stable === version) return []
    return [`stable on ${cluster} stays ${stable}: it was there before, and only a rollout moves it to ${version}`]
  })
}
