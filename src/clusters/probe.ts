import type { MeshFacts } from '../model/cluster.ts'
import type { ConditionInput } from '../model/condition.ts'
import type { ClusterDocument } from '../model/documents.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi, ClusterApis } from '../ports/cluster-api.ts'
import type { MetricsSources } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { detectMesh } from './detect-mesh.ts'

/** What one look at a cluster found. Facts that could not be read are absent: those known before stay. */
export interface Probe {
  readonly reachable: boolean
  readonly conditions: readonly ConditionInput[]
  readonly mesh?: MeshFacts
  readonly kubernetesVersion?: string
}

export interface ProbeSources {
  readonly clock: Clock
  readonly clusters: ClusterApis
  readonly metrics: MetricsSources
}

const CRD = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }

/** Reads what conditions are made of. Failures of the cluster or of metrics are findings, not errors. */
export async function probe(sources: ProbeSources, cluster: ClusterDocument): Promise<Probe> {
  const metrics = await probeMetrics(sources, cluster)
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
      conditions: [reachable, meshCondition(mesh, cluster), metrics],
      kubernetesVersion,
      ...(mesh ? { mesh } : {}),
    }
  } catch (error) {
    if (!isPortError(error)) throw error
    const reason =
      error.reason ?? (error.kind === 'denied' ? 'Denied' : error.kind === 'throttled' ? 'Throttled' : 'NoAnswer')
    const reachable: ConditionInput = { type: 'Reachable', status: 'False', reason, message: error.message }
    return { reachable: false, conditions: [reachable, metrics] }
  }
}

async function probeMesh(api: ClusterApi, cluster: ClusterDocument): Promise<MeshFacts | undefined> {
  const crds = await api.listMetadata(CRD)
  const controlPlanes = await api.list(DEPLOYMENT, { labelSelector: 'app=istiod' }).catch((error: unknown) => {
    // Not seeing the control plane leaves the revision unknown; it is no reason to refuse the cluster.
    if (isPortError(error, 'denied', 'not-found')) return []
    throw error
  })
  return detectMesh(crds, controlPlanes, cluster.spec.mesh?.provider)
}

function meshCondition(mesh: MeshFacts | undefined, cluster: ClusterDocument): ConditionInput {
  const type = 'MeshReady'
  if (!mesh) {
    const wanted = cluster.spec.mesh?.provider
    const message = wanted ? `No ${wanted} was found by its CRDs.` : 'No known mesh was found by its CRDs.'
    return { type, status: 'False', reason: 'NoMesh', message }
  }
  if (mesh.provider !== 'istio') {
    return {
      type,
      status: 'False',
      reason: 'NotBuilt',
      message: `${mesh.provider} was found; this version writes only istio.`,
    }
  }
  const revision = mesh.revision === undefined ? 'revision unknown' : `revision ${mesh.revision}`
  return { type, status: 'True', reason: 'Found', message: `${mesh.provider}, ${revision}.` }
}

async function probeMetrics(sources: ProbeSources, cluster: ClusterDocument): Promise<ConditionInput> {
  const type = 'MetricsReady'
  try {
    const source = await sources.metrics.open(cluster)
    if (!source) {
      return {
        type,
        status: 'False',
        reason: 'NoSource',
        message: 'The cluster names no metrics: gates on it are blind.',
      }
    }
    const series = await source.samples('up', sources.clock.now(), 300_000)
    if (series.length > 0)
      return { type, status: 'True', reason: 'Answers', message: 'The metrics source answers and has targets.' }
    return {
      type,
      status: 'False',
      reason: 'NothingScraped',
      message: 'The metrics source answers but scrapes nothing ("up" is empty).',
    }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { type, status: 'False', reason: error.reason ?? 'NoAnswer', message: error.message }
  }
}
