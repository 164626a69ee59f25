import type { Severity } from '../mesh/lint/codes.ts'
import { worstOf } from '../mesh/lint/finding.ts'
import { keyOf, type ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { type ServiceSpec, serviceKey } from '../model/service.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'
import type { Plan, PlanOptions } from '../reconcile/plan.ts'
import { buildService } from './put-service.ts'

export interface PlanServiceDeps {
  readonly store: Store
  readonly clock: Clock
  /** What carrying a service out on one cluster would do; nothing is kept. */
  readonly plan: (service: ServiceDocument, cluster: string, options?: PlanOptions) => Promise<Plan>
}

export interface ServicePlan {
  readonly plans: readonly Plan[]
  readonly warnings: readonly string[]
  /** The worst severity of all findings; absent: there are none. */
  readonly worst?: Severity
}

/** What a PUT of `spec` would do on every cluster, leaving ones too; without a spec what is stored and not yet done. */
export async function planService(
  deps: PlanServiceDeps,
  namespace: string,
  name: string,
  spec: ServiceSpec | undefined,
  caller: Caller,
): Promise<Result<ServicePlan>> {
  const key = serviceKey(namespace, name)
  const before = (await deps.store.read('service', key))?.value
  if (spec === undefined) {
    return before ? succeed(await planAll(deps, before, [])) : fail('NotFound', `There is no service ${key}.`)
  }
  const now = timestamp(deps.clock.now())
  const built = await buildService(deps.store, before, { namespace, name, spec, caller, now })
  return built.ok ? succeed(await planAll(deps, built.value.document, built.value.warnings)) : built
}

const LINTED: PlanOptions = { lint: true }

async function planAll(
  deps: PlanServiceDeps,
  service: ServiceDocument,
  warnings: readonly string[],
): Promise<ServicePlan> {
  const clusters = [...Object.keys(service.targets), ...service.leaving].sort()
  const plans = await Promise.all(clusters.map((cluster) => deps.plan(service, cluster, LINTED)))
  const worst = worstOf(plans.flatMap(({ findings }) => findings))
  return { plans, warnings, ...(worst ? { worst } : {}) }
}

/** What carrying out each of some services on one cluster would do, one after the other. */
export async function planOnCluster(
  deps: PlanServiceDeps,
  cluster: string,
  services: readonly string[],
): Promise<readonly { readonly service: string; readonly plan: Plan }[]> {
  const plans: { service: string; plan: Plan }[] = []
  for (const key of services) {
    const service = (await deps.store.read('service', key))?.value
    if (service) plans.push({ service: keyOf(service), plan: await deps.plan(service, cluster, LINTED) })
  }
  return plans
}
