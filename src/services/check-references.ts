import { foreignHosts, mayReach } from '../model/access.ts'
import type { ClusterDocument, ServiceDocument } from '../model/documents.ts'
import { type Failure, fail, type Result, succeed } from '../model/failure.ts'
import type { Caller } from '../model/identity.ts'
import type { ServiceSpec } from '../model/service.ts'
import type { Store } from '../ports/store.ts'
import { chooseClusters } from './choose-clusters.ts'

/** Checks everything that a service's spec refers to; the value is its clusters. */
export async function checkReferences(
  store: Store,
  caller: Caller,
  namespace: string,
  spec: ServiceSpec,
): Promise<Result<readonly ClusterDocument[]>> {
  const owner = await checkTeam(store, caller, namespace, spec)
  if (owner) return { ok: false, failure: owner }
  const clusters = await allClusters(store)
  const chosen = chooseClusters(spec, clusters)
  const unknown = chosen.filter(
    (cluster) => !clusters.some((other) => other.name === cluster && other.deletingAt === undefined),
  )
  if (unknown.length > 0) {
    const errors = unknown.map((cluster) => ({ pointer: '/clusters', reason: `there is no cluster ${cluster}` }))
    return fail('UnknownReference', `The service names unknown clusters: ${unknown.join(', ')}.`, { errors })
  }
  return succeed(clusters.filter(({ name }) => chosen.includes(name)))
}

/** The caller must belong to the team that the spec names, and, for a service that is there, to the team it had. */
export async function checkStoredTeam(
  store: Store,
  caller: Caller,
  service: ServiceDocument,
): Promise<Failure | undefined> {
  const team = await store.read('team', service.spec.team)
  const reach = mayReach(caller, service.spec.team, team?.value.spec, service.namespace)
  return reach.ok ? undefined : reach.failure
}

async function checkTeam(
  store: Store,
  caller: Caller,
  namespace: string,
  spec: ServiceSpec,
): Promise<Failure | undefined> {
  const team = (await store.read('team', spec.team))?.value.spec
  if (!team) {
    const errors = [{ pointer: '/team', reason: `there is no team ${spec.team}` }]
    return fail('UnknownReference', `The service names the unknown team ${spec.team}.`, { errors }).failure
  }
  const reach = mayReach(caller, spec.team, team, namespace)
  if (!reach.ok) return reach.failure
  if (!team.namespaces.includes(namespace)) {
    const errors = [{ pointer: '/team', reason: `team ${spec.team} does not own namespace ${namespace}` }]
    return fail('InvalidCombination', `Team ${spec.team} does not own namespace ${namespace}.`, { errors }).failure
  }
  const foreign = foreignHosts(spec.hosts ?? [], team.hosts ?? [])
  if (foreign.length === 0) return undefined
  const errors = foreign.map((host) => ({ pointer: '/hosts', reason: `team ${spec.team} does not own ${host}` }))
  return fail('InvalidCombination', 'The service serves hosts that its team does not own.', {
    errors,
    hint: 'An administrator can add the hosts to the team.',
  }).failure
}

export function allClusters(store: Store): Promise<readonly ClusterDocument[]> {
  return store.all('cluster')
}
