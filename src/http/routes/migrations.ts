import type { Result } from '../../model/failure.ts'
import { succeed } from '../../model/failure.ts'
import { type OsmMigrationRequest, osmMigrationRequest } from '../../model/migration.ts'
import { applyMigration } from '../migration/apply-migration.ts'
import { planMigration } from '../migration/plan-migration.ts'
import { migrationView, showMigration } from '../migration/show-migration.ts'
import { type Answer, type Call, type Route, route } from '../route.ts'

export const MIGRATION_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/clusters/{cluster}/migrations/osm',
    operationId: 'migrateOsm',
    tag: 'Clusters',
    summary: 'Move what Open Service Mesh enforces on a cluster to Istio',
    description:
      'Without apply: reads the cluster and answers with the services that say the same, what they cannot say, and the Istio objects for the target, or for the cluster itself. Nothing is changed. With apply and the digest of that plan: registers the services. Nobody gets in afterwards who is refused now; every code of a finding is in docs/migration-osm.md. An apply needs the role Mesh.Deployer too.',
    access: ['Mesh.Operator'],
    body: { schema: osmMigrationRequest, example: { target: 'west' } },
    repeatable: true,
    answers: { 200: { description: 'The plan; with apply, what became of it', schema: migrationView } },
    failures: ['NotFound', 'Conflict', 'UnknownReference', 'InvalidCombination'],
    handle,
  }),
]

async function handle({
  deps,
  params,
  body,
  caller,
  context,
}: Call<OsmMigrationRequest, unknown>): Promise<Result<Answer>> {
  const plan = await planMigration(deps, params.cluster ?? '', body, caller)
  if (!plan.ok) return plan
  if (!body.apply) return succeed({ status: 200, json: await showMigration(deps, plan.value, body) })
  const applied = await applyMigration(deps, plan.value, body, context)
  if (!applied.ok) return applied
  return succeed({ status: 200, json: await showMigration(deps, plan.value, body, applied.value) })
}
