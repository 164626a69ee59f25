import { putCluster } from '../../clusters/put-cluster.ts'
import { missingRole } from '../../model/access.ts'
import type { ClusterSpec } from '../../model/cluster.ts'
import { entityTag } from '../../model/digest.ts'
import { type Failure, fail, type Result, succeed } from '../../model/failure.ts'
import { MIGRATED_FROM, type OsmMigrationRequest } from '../../model/migration.ts'
import type { RequestContext } from '../../model/request.ts'
import { serviceKey } from '../../model/service.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { putService } from '../../services/put-service.ts'
import type { HttpDeps } from '../http-deps.ts'
import type { MigrationPlan } from './plan-migration.ts'

/** What became of one thing that was to be written. */
export interface AppliedItem {
  readonly kind: 'cluster' | 'service'
  readonly name: string
  readonly result: 'created' | 'updated' | 'unchanged' | 'failed'
  readonly failure?: Failure
}

/**
 * Does what a plan says, if it is the one that was looked at. One thing after the other: what is refused is told, and the same call
 * again does what is left.
 */
export async function applyMigration(
  deps: HttpDeps,
  plan: MigrationPlan,
  request: OsmMigrationRequest,
  context: RequestContext,
): Promise<Result<readonly AppliedItem[]>> {
  const refused = missingRole(context.caller, ['Mesh.Deployer']) ?? refusalOf(plan, request, deps.clock.now())
  if (refused) return { ok: false, failure: refused }
  const { stage, source } = plan.places
  const services = stage === 'switch' ? [] : await putServices(deps, plan, context)
  // The cluster comes last: once it is another, a call is about the next stage, and would register nothing that is missing.
  if (stage === 'target' || services.some(({ result }) => result === 'failed')) return succeed(services)
  const asRead = { ...context, ifMatch: [entityTag(source.name, source.spec)] }
  const cluster = await putCluster(deps, source.name, clusterAfter(source.spec, stage, source.name), asRead)
  return succeed([...services, itemOf('cluster', source.name, cluster)])
}

async function putServices(
  deps: HttpDeps,
  { services }: MigrationPlan,
  context: RequestContext,
): Promise<readonly AppliedItem[]> {
  const items: AppliedItem[] = []
  for (const { namespace, name, spec, result, registered } of services) {
    if (result === 'left') continue
    const asRead = { ...context, ...(registered === undefined ? { createOnly: true } : { ifMatch: [registered] }) }
    items.push(itemOf('service', serviceKey(namespace, name), await putService(deps, namespace, name, spec, asRead)))
  }
  return items
}

/** While a cluster waits, nothing is written to it, and its mesh is found out anew; then the services that wait choose it by its label. */
function clusterAfter(spec: ClusterSpec, stage: 'hold' | 'switch', name: string): ClusterSpec {
  if (stage === 'switch') return { ...spec, mode: 'manage', labels: { ...spec.labels, [MIGRATED_FROM]: name } }
  const { provider: _, ...mesh } = spec.mesh ?? {}
  const { mesh: _m, ...rest } = spec
  return { ...rest, mode: 'observe', ...(Object.keys(mesh).length > 0 ? { mesh } : {}) }
}

function itemOf(kind: AppliedItem['kind'], name: string, outcome: Result<PutOutcome<unknown>>): AppliedItem {
  if (outcome.ok) return { kind, name, result: outcome.value.status }
  const isMissed = outcome.failure.code === 'PreconditionFailed'
  return { kind, name, result: 'failed', failure: isMissed ? changedMeanwhile(kind, name) : outcome.failure }
}

function changedMeanwhile(kind: AppliedItem['kind'], name: string): Failure {
  return fail(
    'Conflict',
    `The ${kind} ${name} was changed by others while this was applied: it stays as they left it.`,
    {
      hint: 'Send the body without apply and digest, look at the plan, and apply that.',
    },
  ).failure
}

function refusalOf(plan: MigrationPlan, request: OsmMigrationRequest, nowMs: number): Failure | undefined {
  if (plan.digest !== request.digest) {
    return fail('Conflict', 'What is there now is not what the plan of this digest was made of.', {
      errors: [{ pointer: '/digest', reason: `is now ${plan.digest}` }],
      hint: 'Send the body without apply and digest, look at the plan, and apply that.',
    }).failure
  }
  if (plan.blocking.length > 0) {
    const reasons = plan.blocking
      .slice(0, 20)
      .map(({ code, message }) => ({ pointer: '/accept', reason: `${code}: ${message}` }))
    return fail('InvalidCombination', `${plan.blocking.length} findings hold the migration up.`, {
      errors: reasons,
      hint: 'Mend what they name, or list their codes in "accept" and plan again.',
    }).failure
  }
  const window = request.inPlace?.window
  const isOpen = !window || (Date.parse(window.from) <= nowMs && nowMs < Date.parse(window.until))
  if (plan.places.stage !== 'switch' || isOpen) return undefined
  return fail('Conflict', `The window in which calls may fail begins at ${window?.from}.`, {
    errors: [{ pointer: '/inPlace/window/from', reason: 'has not come yet' }],
    hint: 'Apply within the window.',
  }).failure
}
