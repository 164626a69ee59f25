import { type Finding, finding } from '../mesh/lint/finding.ts'
import { lint } from '../mesh/lint/lint.ts'
import { MANAGED_BY, MANAGER } from '../mesh/marks.ts'
import { meshOf } from '../mesh/mesh-of.ts'
import type { ClusterDocument } from '../model/documents.ts'
import { type KubeObject, type KubeRef, refOf } from '../model/kube.ts'
import { serviceOn, servicePolicy } from '../model/policy/service-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi, ClusterApis, ReadOptions } from '../ports/cluster-api.ts'
import { isPortError } from '../ports/port-error.ts'
import type { Store } from '../ports/store.ts'
import { withPreconditions } from './apply.ts'
import { isOurs, standingOf } from './conflict.ts'
import { changesTo, type FieldChange, refKey } from './content.ts'
import { gatherCluster, gatherRivals, keyOfService, type Prepared, prepare, RECENT } from './gather.ts'
import { gatherLint } from './gather-lint.ts'
import { checkCandidate, checkKubeService, checkMesh, checkVersions } from './plan-findings.ts'
import { planWrites, type WritePlan } from './plan-writes.ts'
import type { PlannedService, Situation } from './situation.ts'
import { tryApply } from './try-apply.ts'
import { isWorkload } from './workloads/deployment.ts'
import { gatherWorkloads } from './workloads/gather-workloads.ts'
import { shownChanges } from './workloads/shown-changes.ts'
import { withWorkloads } from './workloads/workloads.ts'

export interface PlanDeps {
  readonly store: Store
  readonly clusters: ClusterApis
  readonly clock: Clock
}

export interface PlanChange {
  readonly ref: KubeRef
  readonly action: 'create' | 'update' | 'none' | 'delete'
  readonly diff: readonly FieldChange[]
}

/** What a service as given would change on one cluster. */
export interface Plan {
  readonly cluster: string
  readonly changes: readonly PlanChange[]
  /** Why it would not be carried out now (hold, freeze, conflict, fence, an unreachable cluster). */
  readonly blocked?: { readonly reason: string; readonly message: string }
  readonly findings: readonly Finding[]
}

export interface PlanOptions {
  /** Check more than a write needs, with reads that reconcile never makes. */
  readonly lint?: boolean
  /** How old what others made may be when it is looked at, where many services are planned one after the other. */
  readonly age?: ReadOptions
}

/**
 * What reconcile would do for a service, stored or not, on a cluster: the same gathering, rendering and decisions, with
 * dry runs in place of writes. Give the `renderRevision` that the change would have. Throws PortError of the store.
 */
export async function planPlacement(
  deps: PlanDeps,
  asked: PlannedService,
  name: string,
  options: PlanOptions = {},
): Promise<Plan> {
  const cluster = (await deps.store.read('cluster', name))?.value
  if (!cluster) return blocked(name, 'ClusterUnknown', `Cluster ${name} is not registered.`)
  if (!Object.hasOwn(asked.targets, name)) return planRemoval(deps, asked, name)
  const service = serviceOn(asked, cluster)
  const prepared = prepare(service, cluster)
  if (!prepared.ok) return blocked(name, prepared.stop.reason, prepared.stop.message)
  try {
    const api = await deps.clusters.connect(cluster)
    const { age = {} } = options
    const { plan, situation, kubeService } = await planOn(deps, api, service, {
      cluster,
      prepared: prepared.value,
      age,
    })
    if (!options.lint) return plan
    return {
      ...plan,
      findings: [
        ...plan.findings,
        ...(await lintOn(api, situation, { cluster, kubeService, age: options.age ?? RECENT })),
      ],
    }
  } catch (error) {
    if (isPortError(error)) return blocked(name, error.reason ?? 'Unreachable', error.message)
    throw error
  }
}

interface Place {
  readonly cluster: ClusterDocument
  readonly prepared: Prepared
  readonly age: ReadOptions
}

async function planOn(
  deps: PlanDeps,
  api: ClusterApi,
  asked: PlannedService,
  { cluster, prepared, age }: Place,
): Promise<{ readonly plan: Plan; readonly situation: Situation; readonly kubeService: KubeObject | undefined }> {
  const service = withCandidates(asked)
  const { namespace, name } = service
  const placement = await deps.store.read('placement', `${keyOfService(service)}/${cluster.name}`)
  const place = { cluster: cluster.name, placement: placement?.value }
  const [freezes, observed, gathered, rivals, kubeService] = await Promise.all([
    deps.store.all('freeze'),
    gatherCluster(api, service, prepared, [], age),
    gatherWorkloads(api, deps.store, service, place),
    gatherRivals(api, service, prepared, age),
    api.get({ apiVersion: 'v1', kind: 'Service', namespace, name }),
  ])
  const situation: Situation = {
    service,
    cluster,
    ...prepared,
    placement: placement?.value,
    freezes,
    observed: { ...withWorkloads(observed, gathered), rivals },
    now: deps.clock.now(),
    settleMs: undefined,
  }
  const writes = planWrites(situation)
  const stop = writes.stop
  const rejected = observed.namespace ? await dryRun(api, situation, writes) : []
  const plan = {
    cluster: cluster.name,
    changes: changesOf(situation, writes),
    ...(stop && (stop.condition || stop.reason === 'FencedOff')
      ? { blocked: { reason: stop.reason, message: stop.message } }
      : {}),
    findings: [
      ...checkKubeService(service, observed.namespace, kubeService),
      ...checkVersions(situation),
      ...checkCandidate(writes.candidate),
      ...checkMesh(prepared.provider),
      ...rejected,
    ],
  }
  return { plan, situation, kubeService }
}

async function lintOn(
  api: ClusterApi,
  { service, provider, weights, observed, rendered, placement }: Situation,
  { cluster, kubeService, age }: Pick<Place, 'cluster' | 'age'> & { readonly kubeService: KubeObject | undefined },
): Promise<readonly Finding[]> {
  const mesh = meshOf(cluster)
  if (!mesh || !observed.namespace) return []
  const { namespace, name, spec } = service
  const desired = { namespace, name, spec, policy: servicePolicy(service, cluster), weights, mesh }
  const seen = await gatherLint(api, desired, age)
  const foreign = rendered
    .flatMap(({ object }) => observed.objects.get(refKey(refOf(object))) ?? [])
    .filter((live) => !isOurs(live, keyOfService(service), placement?.objects))
  const rivals = standingOf({ service, provider }, [...foreign, ...(observed.rivals ?? [])])
  return lint(desired, { namespace: observed.namespace, kubeService, rivals, ...seen })
}

function changesOf(situation: Situation, plan: WritePlan): readonly PlanChange[] {
  const own = wantedBy(situation, plan).map((object): PlanChange => {
    const live = situation.observed.objects.get(refKey(refOf(object)))
    const changes = changesTo(live, object)
    const diff = isWorkload(object) ? shownChanges(changes) : changes
    return { ref: refOf(object), action: live ? (diff.length > 0 ? 'update' : 'none') : 'create', diff }
  })
  return [...own, ...plan.taken.map((object): PlanChange => ({ ref: refOf(object), action: 'delete', diff: [] }))]
}

/** A rollout that waits for its start, or for a wave, will make its candidate's Deployment: a plan tells of it. */
function withCandidates(service: PlannedService): PlannedService {
  const rollouts = service.rollouts.map(({ waves: _, ...rollout }) => {
    return rollout.image && rollout.phase === 'pending' ? { ...rollout, phase: 'preflight' as const } : rollout
  })
  return { ...service, rollouts }
}

/** Everything that is to be on the cluster, now or once something is over that is waited for. */
function wantedBy({ rendered }: Situation, { candidate, scaleDowns }: WritePlan): readonly KubeObject[] {
  return [
    ...(candidate?.object ? [candidate.object] : []),
    ...rendered.map(({ object }) => object),
    ...scaleDowns.flatMap(({ write }) => (write ? [write.object] : [])),
  ]
}

/** Has the server check what would change, as strictly as on a write. */
async function dryRun(api: ClusterApi, situation: Situation, plan: WritePlan): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const forced = [...plan.writes, ...plan.scaleDowns.flatMap(({ write }) => write ?? [])].filter(({ force }) => force)
  for (const object of wantedBy(situation, plan)) {
    const live = situation.observed.objects.get(refKey(refOf(object)))
    if (changesTo(live, object).length === 0) continue
    const force = forced.some((write) => refKey(refOf(write.object)) === refKey(refOf(object)))
    const finding = await tryApply(api, withPreconditions(object, live), force)
    if (finding) findings.push(finding)
  }
  return findings
}

/** A Deployment that was made stays, and is nobody's: it may serve all requests. */
const RELEASED: readonly FieldChange[] = [{ path: `metadata.labels.${MANAGED_BY}`, from: MANAGER, to: undefined }]

/** What would go when a service leaves a cluster. */
async function planRemoval(deps: PlanDeps, service: PlannedService, cluster: string): Promise<Plan> {
  const placement = await deps.store.read('placement', `${keyOfService(service)}/${cluster}`)
  const changes = (placement?.value.objects ?? []).map(({ apiVersion, kind, namespace, name }): PlanChange => {
    const ref = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
    return isWorkload(ref) ? { ref, action: 'update', diff: RELEASED } : { ref, action: 'delete', diff: [] }
  })
  return { cluster, changes, findings: [] }
}

/** There is no plan: nothing could be looked at. */
function blocked(cluster: string, reason: string, message: string): Plan {
  return { cluster, changes: [], blocked: { reason, message }, findings: [finding('NotPlanned', message)] }
}
