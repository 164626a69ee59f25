import * as z from 'zod'
import { clusterSpec, PROVIDERS } from '../../model/cluster.ts'
import type { ClusterDocument } from '../../model/documents.ts'
import { aksView } from './aks-view.ts'
import { conditionView, ownedFields, READ_ONLY, time, withWarnings } from './common.ts'

export const clusterView = z
  .object({
    name: z.string(),
    ...clusterSpec.shape,
    ...ownedFields,
    observedGeneration: z.int().describe('Equals generation when the last change was looked at on the cluster'),
    conditions: z
      .array(conditionView)
      .describe('Reachable, MeshReady, MetricsReady, and AzureReady of a cluster by ARM id'),
    detected: z
      .object({
        provider: z.enum(PROVIDERS).optional(),
        namespace: z.string().optional(),
        revision: z.string().optional().describe('Mesh revision; left out when it is unknown'),
        version: z.string().optional(),
        gatewayApi: z.object({ bundle: z.string(), channel: z.string() }).optional(),
        kubernetesVersion: z.string().optional(),
        probedAt: time.optional(),
      })
      .describe('What the last look at the cluster found'),
    aks: aksView.optional().describe('What Azure says of it; only of clusters by ARM id'),
    deletingAt: time.optional(),
  })
  .meta({ id: 'ClusterView' })
export type ClusterView = z.infer<typeof clusterView>

export const CLUSTER_READ_ONLY = [...READ_ONLY, 'observedGeneration', 'conditions', 'detected', 'aks', 'deletingAt']

export function viewCluster(document: ClusterDocument, warnings: readonly string[] = []): ClusterView {
  const { name, spec, mesh, aks, kubernetesVersion, probedAt, deletingAt } = document
  const view: ClusterView = {
    name,
    ...spec,
    generation: document.generation,
    observedGeneration: document.observedGeneration,
    conditions: [...document.conditions],
    detected: {
      ...mesh,
      ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
      ...(probedAt === undefined ? {} : { probedAt }),
    },
    ...(aks ? { aks: structuredClone(aks) as NonNullable<ClusterView['aks']> } : {}),
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
    ...(deletingAt === undefined ? {} : { deletingAt }),
  }
  return withWarnings(view, warnings)
}

const right = z.object({
  verb: z.string(),
  group: z.string(),
  resource: z.string(),
  namespace: z.string().optional().describe('Wanted in this namespace alone'),
  name: z.string().optional().describe('Wanted of objects of this name alone'),
  why: z.string(),
})

export const accessView = z
  .object({
    allowed: z.boolean().describe('Every right that Meshwright needs is granted'),
    missing: z.array(right),
    granted: z.array(right),
    rules: z
      .array(
        z.object({
          namespace: z.string().optional(),
          apiGroups: z.array(z.string()),
          resources: z.array(z.string()),
          resourceNames: z.array(z.string()).optional(),
          verbs: z.array(z.string()),
        }),
      )
      .describe('Rules that would grant what is missing: of a ClusterRole, or with a namespace of a Role there'),
  })
  .meta({ id: 'AccessReport' })

export const metricsView = z
  .object({
    ready: z.boolean(),
    reason: z
      .string()
      .describe(
        'Answers, NoSource, ManagedPrometheusOff, NothingScraped, MeshNotScraped, or why the source does not answer',
      ),
    message: z.string(),
    fix: z
      .object({ configMap: z.string().describe('YAML for kubectl apply -f -') })
      .optional()
      .describe('What would have the sidecars of the registered services scraped'),
  })
  .meta({ id: 'MetricsReport' })
