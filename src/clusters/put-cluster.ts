import { BUILT_PROVIDERS } from '../mesh/capabilities.ts'
import type { ClusterSpec } from '../model/cluster.ts'
import { canonicalJson } from '../model/digest.ts'
import { type ClusterDocument, SCHEMA } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import { actorOf } from '../model/identity.ts'
import { isSameResource } from '../model/managed-cluster.ts'
import { isManagedPrometheus } from '../model/metrics.ts'
import type { WorkMessage } from '../model/outbox.ts'
import type { RequestContext } from '../model/request.ts'
import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApis } from '../ports/cluster-api.ts'
import type { ManagedClusters } from '../ports/managed-clusters.ts'
import { isPortError } from '../ports/port-error.ts'
import { type PutOutcome, putDocument } from '../ports/put-document.ts'
import type { Store } from '../ports/store.ts'
import { checkResource } from './check-resource.ts'
import { clusterEvent } from './cluster-event.ts'
import { describeDependent, readDependents } from './services-on.ts'

export interface PutClusterDeps {
  readonly store: Store
  readonly clock: Clock
  readonly addresses: AddressPolicy
  readonly clusters: ClusterApis
  readonly managedClusters: ManagedClusters
}

/** Registers a cluster or changes how it is reached. Nothing is written to it until a service names it. */
export async function putCluster(
  deps: PutClusterDeps,
  name: string,
  spec: ClusterSpec,
  context: RequestContext,
): Promise<Result<PutOutcome<ClusterDocument>>> {
  const before = (await deps.store.read('cluster', name))?.value.spec
  const refused = (await refuse(deps, name, spec)) ?? (await refuseMove(deps.store, name, before, spec))
  if (refused) return { ok: false, failure: refused }
  const checked = await checkResource(deps, name, before, spec)
  if (!checked.ok) return checked
  return putDocument(deps, {
    kind: 'cluster',
    key: name,
    spec,
    context,
    build: async (before, now) => {
      if (before?.deletingAt) return fail('Deleting', `Cluster ${name} is being deleted.`)
      const generation = (before?.generation ?? 0) + 1
      const event = clusterEvent(name, before ? 'cluster.changed' : 'cluster.registered', {
        id: String(before ? generation : now),
        time: now,
        actor: actorOf(context.caller),
        reason: before ? 'Changed' : 'Registered',
        message: before ? `Cluster ${name} was changed.` : `Cluster ${name} was registered.`,
      })
      return succeed({
        warnings: checked.value,
        document: {
          observedGeneration: 0,
          conditions: [],
          attempts: 0,
          ...before,
          schema: SCHEMA,
          kind: 'cluster',
          name,
          spec,
          generation,
          idempotency: [],
          outbox: [
            ...(before?.outbox ?? []),
            { id: event.id, kind: 'event', event },
            { id: `probe.${generation}`, kind: 'work', queue: 'work', message: { kind: 'probe', cluster: name } },
            { id: `select.${generation}`, kind: 'work', queue: 'work', message: selection(name, before?.spec, spec) },
          ],
          dueAt: now,
          createdAt: before?.createdAt ?? now,
          updatedAt: now,
        },
      })
    },
  })
}

function selection(cluster: string, before: ClusterSpec | undefined, after: ClusterSpec): WorkMessage {
  const isSame = !before || canonicalJson(before.mesh) === canonicalJson(after.mesh)
  return { kind: 'select', cluster, ...(isSame ? {} : { gateways: true }) }
}

async function refuse(deps: PutClusterDeps, name: string, spec: ClusterSpec): Promise<Failure | undefined> {
  const wanted = spec.mesh?.provider
  if (wanted !== undefined && !BUILT_PROVIDERS.includes(wanted))
    return notBuilt('/mesh/provider', `Provider ${wanted}`, BUILT_PROVIDERS.join(', '))
  const unreachable = await refuseContext(deps, name, spec)
  if (unreachable) return unreachable
  const endpoint = spec.metrics?.azureMonitor?.endpoint
  if (endpoint !== undefined && !isManagedPrometheus(endpoint)) return notManaged()
  const url = spec.metrics?.prometheus?.url
  const reason = url === undefined ? undefined : await deps.addresses.refusal(url)
  if (reason === undefined) return undefined
  return fail('InvalidCombination', `The address of Prometheus is refused: ${reason}`, {
    errors: [{ pointer: '/metrics/prometheus/url', reason }],
    hint: 'Add the host to the setting MESHWRIGHT_OUTSIDE_HOSTS.',
  }).failure
}

/** The context must be in the kubeconfig and name a user that we can be; whether the cluster answers is the probe's part. */
async function refuseContext(deps: PutClusterDeps, name: string, spec: ClusterSpec): Promise<Failure | undefined> {
  if (spec.kubeconfig === undefined) return undefined
  try {
    await deps.clusters.connect({ name, spec })
    return undefined
  } catch (error) {
    if (!isPortError(error)) throw error
    if (error.kind !== 'invalid' && error.kind !== 'denied') return undefined
    return fail('UnknownReference', `The cluster cannot be reached by its context: ${error.message}.`, {
      errors: [{ pointer: '/kubeconfig/context', reason: error.message }],
      hint: 'Start Meshwright with the kubeconfig that holds the context (--kubeconfig FILE).',
    }).failure
  }
}

/** Our token for managed Prometheus goes nowhere else. */
function notManaged(): Failure {
  const reason = 'must be https://….prometheus.monitor.azure.com: the query endpoint of an Azure Monitor workspace'
  return fail('InvalidCombination', 'The endpoint is none of managed Prometheus.', {
    errors: [{ pointer: '/metrics/azureMonitor/endpoint', reason }],
    hint: 'It is properties.metrics.prometheusQueryEndpoint of the workspace. Another Prometheus goes to metrics.prometheus.',
  }).failure
}

function notBuilt(pointer: string, what: string, instead: string): Failure {
  const reason = `is not built yet; nearest: ${instead}`
  return fail('NotBuilt', `${what} cannot be used by this version.`, { errors: [{ pointer, reason }] }).failure
}

/** A name that pointed at another cluster would leave what was written there behind. */
async function refuseMove(
  store: Store,
  name: string,
  before: ClusterSpec | undefined,
  spec: ClusterSpec,
): Promise<Failure | undefined> {
  if (!before || isSameWay(before, spec)) return undefined
  const dependents = (await readDependents(store, name)).map(describeDependent)
  if (dependents.length === 0) return undefined
  const pointer = spec.resourceId === undefined ? '/kubeconfig/context' : '/resourceId'
  return fail('InUse', `On cluster ${name} there is ${dependents.slice(0, 5).join(', ')}.`, {
    errors: [{ pointer, reason: 'cannot change while services or certificates are on the cluster' }],
    hint: 'Register the other cluster under a name of its own.',
  }).failure
}

function isSameWay(before: ClusterSpec, spec: ClusterSpec): boolean {
  return before.kubeconfig?.context === spec.kubeconfig?.context && isSameResource(before.resourceId, spec.resourceId)
}
