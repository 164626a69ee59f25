import type { Severity } from '../mesh/lint/codes.ts'
import { worstOf } from '../mesh/lint/finding.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import { timestamp } from '../model/names.ts'
import { type ServiceSpec, serviceKey } from '../model/service.ts'
import type { Plan, PlanOptions } from '../reconcile/plan.ts'
import { allClusters } from './check-references.ts'
import { buildService, type PutServiceDeps } from './put-service.ts'
import { readPlacements } from './read-placements.ts'
import { strictFindings } from './strict-findings.ts'
import { forecastWaves } from './words/forecast-waves.ts'

export interface PlanServiceDeps extends PutServiceDeps {
  /** What carrying a service out on one cluster would do; nothing is kept. */
  readonly plan: (service: ServiceDocument, cluster: string, options?: PlanOptions) => Promise<Plan>
}

export interface ServicePlan {
  readonly plans: readonly Plan[]
  readonly warnings: readonly string[]
  /** The clusters of each wave in which the service's own policy reaches them. Absent: it waits nowhere. */
  readonly waves?: readonly (readonly string[])[]
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
    return before ? succeed(await planAll(deps, before, before, [])) : fail('NotFound', `There is no service ${key}.`)
  }
  const now = timestamp(deps.clock.now())
  const built = await buildService(deps.store, before, { namespace, name, spec, caller, now })
  return built.ok ? succeed(await planAll(deps, before, built.value.document, built.value.warnings)) : built
}

const LINTED: PlanOptions = { lint: true }

async function planAll(
  deps: PlanServiceDeps,
  before: ServiceDocument | undefined,
  service: ServiceDocument,
  warnings: readonly string[],
): Promise<ServicePlan> {
  const clusters = [...Object.keys(service.targets), ...service.leaving].sort()
  const whole = arrived(service)
  const [found, strict] = await Promise.all([
    Promise.all(clusters.map((cluster) => deps.plan(whole, cluster, LINTED))),
    allClusters(deps.store).then((all) => strictFindings(deps, before, service, all)),
  ])
  const plans = found.map((plan) => ({ ...plan, findings: [...plan.findings, ...(strict.get(plan.cluster) ?? [])] }))
  const worst = worstOf(plans.flatMap(({ findings }) => findings))
  const waves = service.spread ? await wavesOf(deps, service) : []
  return { plans, warnings, ...(waves.length > 0 ? { waves } : {}), ...(worst ? { worst } : {}) }
}

/** A plan shows what there is to be once every wave was let go. */
function arrived({ spread: _, ...service }: ServiceDocument): ServiceDocument {
  return service
}

async function wavesOf(
  { store, clock }: PlanServiceDeps,
  service: ServiceDocument,
): Promise<ServicePlan['waves'] & {}> {
  const [clusters, placements] = await Promise.all([allClusters(store), readPlacements(store, service)])
  return forecastWaves(service, clusters, placements, clock.now())
}

function asManaged(cluster: ClusterDocument): ClusterDocument {
  return { ...cluster, spec: { ...cluster.spec, mode: 'manage' } }
}

/** Of a plan for many services: what lies on the cluster for all of them is listed once in so long. */
const SHARED: PlanOptions = { ...LINTED, age: { maxAgeMs: 60_000 } }
const AT_ONCE = 4

/**
 * What carrying out each of some services on one cluster would do, in their order. Of a cluster that is observed, callers that strict
 * mutual TLS would refuse once it is managed are told too.
 */
export async function planOnCluster(
  deps: PlanServiceDeps,
  cluster: string,
  services: readonly string[],
): Promise<readonly { readonly service: string; readonly plan: Plan }[]> {
  const plans: { service: string; plan: Plan }[] = []
  const all = await allClusters(deps.store)
  const managed = all.filter(({ name }) => name === cluster).map(asManaged)
  const isObserved = all.some(({ name, spec }) => name === cluster && spec.mode === 'observe')
  for (let at = 0; at < services.length; at += AT_ONCE) {
    const some = services.slice(at, at + AT_ONCE).map(async (key) => {
      const service = (await deps.store.read('service', key))?.value
      if (!service) return []
      const plan = await deps.plan(arrived(service), cluster, SHARED)
      const strict = await strictFindings(deps, isObserved ? undefined : service, service, managed)
      return [{ service: key, plan: { ...plan, findings: [...plan.findings, ...(strict.get(cluster) ?? [])] } }]
    })
    plans.push(...(await Promise.all(some)).flat())
  }
  return plans
}
