import { refusalOn } from '../mesh/refusal-on.ts'
import { canonicalJson } from '../model/digest.ts'
import type { ClusterDocument, PolicyDocument, ServiceDocument } from '../model/documents.ts'
import { type Failure, fail } from '../model/failure.ts'
import { layersAfter, type ServiceLayer } from '../model/policy/layers.ts'
import { type RailProblem, railProblems } from '../model/policy/rail-problems.ts'
import { overridesOn } from '../model/policy/service-policy.ts'

type Wanted = Pick<ServiceDocument, 'namespace' | 'name' | 'spec'>

/** What a service carries of policies, with what decides where its overrides hold. */
export type PolicyFields = Pick<ServiceDocument, 'layers' | 'overridesOn'>

/** What a service is to carry of the policies that hold for it, on its clusters. */
export function policyFields(
  before: Pick<ServiceDocument, 'layers' | 'targets'> | undefined,
  service: Wanted,
  clusters: readonly ClusterDocument[],
  policies: readonly PolicyDocument[],
): PolicyFields {
  return fieldsOf(layersAfter(before, service, clusters, policies), service, clusters)
}

/** The fields of a service's document that hold what it carries; those that hold nothing are absent. */
export function fieldsOf(
  layers: readonly ServiceLayer[],
  service: Wanted,
  clusters: readonly ClusterDocument[],
): PolicyFields {
  const overrides = overridesOn(service.spec, clusters)
  return {
    ...(layers.length === 0 ? {} : { layers }),
    ...(overrides === undefined ? {} : { overridesOn: overrides }),
  }
}

/**
 * Why a service may not be what is wanted: a guard rail that it breaks, or what the mesh of a cluster cannot express; with
 * the policies as they are, and as far as they have reached it.
 */
export function checkPolicies(
  service: Wanted & PolicyFields,
  clusters: readonly ClusterDocument[],
  policies: readonly PolicyDocument[],
): Failure | undefined {
  const settled = policies.map(({ spread: _, ...policy }) => policy)
  const newest = { ...service, layers: layersAfter(undefined, service, clusters, settled) }
  const broken = railProblems(newest, clusters, policies)
  if (broken.length > 0) return guardRailFailure(broken)
  for (const cluster of clusters) {
    const refused = refusalOn(service, cluster) ?? refusalOn(newest, cluster)
    if (refused) return refused
  }
  return undefined
}

function guardRailFailure(broken: readonly RailProblem[]): Failure {
  const places = new Map<string, { readonly problem: RailProblem; readonly clusters: string[] }>()
  for (const problem of broken) {
    const { cluster, ...same } = problem
    const known = places.get(canonicalJson(same))
    if (known) known.clusters.push(cluster)
    else places.set(canonicalJson(same), { problem, clusters: [cluster] })
  }
  const errors = [...places.values()].map(({ problem: { policy, rail, pointer, reason, from }, clusters }) => ({
    pointer: pointerInService(pointer, from),
    reason: `${pointer.slice(1).replaceAll('/', '.')} ${reason}${wordsOf(from)} on ${clusters.join(', ')}: guard rail ${rail} of policy ${policy}`,
  }))
  const names = [...new Set(broken.map(({ policy }) => policy))].join(', ')
  return fail('GuardRail', `The service does not keep guard rails of policy ${names}.`, {
    errors,
    hint: 'Correct the fields that are named, or ask an administrator to change the policy or to name the service in its "except".',
  }).failure
}

function pointerInService(pointer: string, from: string | undefined): string {
  const index = /^override (\d+)$/.exec(from ?? '')?.[1]
  return index === undefined ? pointer : `/overrides/${index}${pointer}`
}

function wordsOf(from: string | undefined): string {
  return from?.startsWith('policy') ? ` (from ${from})` : ''
}
