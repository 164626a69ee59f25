import { BUILT_PROVIDERS } from '../mesh/capabilities.ts'
import { retirement } from '../mesh/provider.ts'
import { providerFor } from '../mesh/registry.ts'
import type { ManagedClusterFacts, MeshFacts } from '../model/cluster.ts'
import type { ConditionInput } from '../model/condition.ts'
import type { ClusterDocument } from '../model/documents.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi, ClusterApis } from '../ports/cluster-api.ts'
import type { ManagedClusters } from '../ports/managed-clusters.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { detectMesh } from './detect-mesh.ts'
import { lookAtMetrics } from './look-at-metrics.ts'
import { type AzureFindings, probeAzure } from './probe-azure.ts'

/** What one look at a cluster found. Facts that could not be read are absent: those known before stay. */
export interface Probe {
  readonly reachable: boolean
  readonly conditions: readonly ConditionInput[]
  readonly mesh?: MeshFacts
  readonly kubernetesVersion?: string
  readonly aks?: ManagedClusterFacts
}

export interface ProbeSources {
  readonly clock: Clock
  readonly clusters: ClusterApis
  readonly metrics: MetricsSources
  readonly managedClusters: ManagedClusters
}

const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }

const NOT_ON_AZURE: AzureFindings = { conditions: [], isOut: false }

/** Reads what conditions are made of. Failures of the cluster, of Azure or of metrics are findings, not errors. */
export async function probe(sources: ProbeSources, cluster: ClusterDocument): Promise<Probe> {
  const { resourceId } = cluster.spec
  const [metrics, azure] = await Promise.all([
    probeMetrics(sources, cluster),
    resourceId === undefined ? NOT_ON_AZURE : probeAzure(sources.managedClusters, resourceId, cluster.attempts > 0),
  ])
  const { facts } = azure
  const known = { ...(facts ? { aks: facts } : {}) }
  if (azure.isOut) return { reachable: false, conditions: [...azure.conditions, metrics], ...known }
  try {
    const api = await sources.clusters.connect(cluster)
    const [kubernetesVersion, mesh] = [await api.version(), await probeMesh(api, cluster)]
    const reachable: ConditionInput = {
      type: 'Reachable',
      status: 'True',
      reason: 'Answers',
      message: 'The Kubernetes API answers.',
    }
    return {
      reachable: true,
      conditions: [...azure.conditions, reachable, meshCondition(mesh, cluster, facts ?? cluster.aks), metrics],
      kubernetesVersion,
      ...(mesh ? { mesh } : {}),
      ...known,
    }
  } catch (error) {
    if (!isPortError(error)) throw error
    const reason =
      error.reason ?? (error.kind === 'denied' ? 'Denied' : error.kind === 'throttled' ? 'Throttled' : 'NoAnswer')
    const reachable: ConditionInput = { type: 'Reachable', status: 'False', reason, message: error.message }
    return { reachable: false, conditions: [...azure.conditions, reachable, metrics], ...known }
  }
}

async function probeMesh(api: ClusterApi, cluster: ClusterDocument): Promise<MeshFacts | undefined> {
  const crds = await api.listMetadata(CRD)
  const controlPlanes = await api.list(DEPLOYMENT, { labelSelector: 'app=istiod' }).catch((error: unknown) => {
    // Not seeing the control plane leaves the revision unknown; it is no reason to refuse the cluster.
    if (isPortError(error, 'denied', 'not-found')) return []
    throw error
  })
  const mesh = detectMesh(crds, controlPlanes, cluster.spec.mesh?.provider)
  if (mesh?.provider !== 'osm') return mesh
  const permissive = await probePermissive(api)
  return permissive === undefined ? mesh : { ...mesh, permissive }
}

const MESH_CONFIG = { apiVersion: 'config.openservicemesh.io/v1alpha2', kind: 'MeshConfig' }

/** Does Open Service Mesh let everybody call everybody? Undefined: that was not to be seen. */
async function probePermissive(api: ClusterApi): Promise<boolean | undefined> {
  try {
    const [config] = await api.list(MESH_CONFIG)
    const traffic = config?.spec?.traffic as { readonly enablePermissiveTrafficPolicyMode?: boolean } | undefined
    return config ? (traffic?.enablePermissiveTrafficPolicyMode ?? false) : undefined
  } catch (error) {
    if (isPortError(error, 'denied', 'not-found')) return undefined
    throw error
  }
}

function meshCondition(
  mesh: MeshFacts | undefined,
  cluster: ClusterDocument,
  aks: ManagedClusterFacts | undefined,
): ConditionInput {
  const type = 'MeshReady'
  if (!mesh) {
    const wanted = cluster.spec.mesh?.provider
    const message = wanted ? `No ${wanted} was found by its CRDs.` : 'No known mesh was found by its CRDs.'
    return { type, status: 'False', reason: 'NoMesh', message }
  }
  if (!BUILT_PROVIDERS.includes(mesh.provider)) {
    return {
      type,
      status: 'False',
      reason: 'NotBuilt',
      message: `${mesh.provider} was found; this version writes only ${BUILT_PROVIDERS.join(', ')}.`,
    }
  }
  const revision = mesh.revision === undefined ? 'revision unknown' : `revision ${mesh.revision}`
  const ends = providerFor(mesh.provider)?.retires
  const retires = ends ? ` ${retirement(ends)}` : ''
  return { type, status: 'True', reason: 'Found', message: `${mesh.provider}, ${revision}.${upgradeOf(aks)}${retires}` }
}

/** The add-on has two revisions only while an upgrade by canary is under way. */
function upgradeOf(aks: ManagedClusterFacts | undefined): string {
  const [from, to] = aks?.mesh?.revisions ?? []
  return to === undefined ? '' : ` A canary upgrade of the add-on from ${from} to ${to} is under way.`
}

async function probeMetrics(sources: ProbeSources, cluster: ClusterDocument): Promise<ConditionInput> {
  const { ready, reason, message } = await lookAtMetrics(sources, cluster)
  return { type: 'MetricsReady', status: ready ? 'True' : 'False', reason, message }
}
