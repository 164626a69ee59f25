import * as z from 'zod'
import { durationBetween, labelMap } from './names.ts'

export const PROVIDERS = ['istio', 'linkerd', 'consul', 'osm', 'gateway-api'] as const
export type ProviderName = (typeof PROVIDERS)[number]

const ARM_CLUSTER =
  /^\/subscriptions\/[0-9a-fA-F-]{36}\/resourceGroups\/[^/]{1,90}\/providers\/Microsoft\.ContainerService\/managedClusters\/[^/]{1,63}$/i

const metricsSpec = z.strictObject({
  azureMonitor: z
    .strictObject({ endpoint: z.url({ protocol: /^https$/ }), clusterLabel: z.string().min(1).max(128).optional() })
    .optional(),
  prometheus: z.strictObject({ url: z.url({ protocol: /^https?$/ }) }).optional(),
  delay: durationBetween('1s', '1h').optional().describe('How late samples may arrive'),
  every: durationBetween('2s', '1h').optional().describe('How often gates look'),
})

/** Body of PUT /clusters/{cluster}. Exactly one of `resourceId` and `kubeconfig`. */
export const clusterSpec = z
  .strictObject({
    resourceId: z
      .string()
      .regex(
        ARM_CLUSTER,
        'must be the ARM id of an AKS cluster: /subscriptions/…/providers/Microsoft.ContainerService/managedClusters/NAME',
      )
      .optional(),
    kubeconfig: z.strictObject({ context: z.string().min(1).max(253) }).optional(),
    mode: z.enum(['manage', 'observe']).default('manage').describe('observe: look, never write'),
    mesh: z
      .strictObject({ provider: z.enum(PROVIDERS) })
      .optional()
      .describe('Found out when left out'),
    labels: labelMap.default({}),
    metrics: metricsSpec
      .refine(
        (metrics) => !(metrics.azureMonitor && metrics.prometheus),
        'names two sources: keep azureMonitor or prometheus',
      )
      .optional(),
  })
  .refine((spec) => (spec.resourceId === undefined) !== (spec.kubeconfig === undefined), {
    message: 'give exactly one of resourceId and kubeconfig',
  })
  .meta({ id: 'Cluster' })

export type ClusterSpec = z.infer<typeof clusterSpec>

/** What a probe found out about a cluster's mesh. */
export interface MeshFacts {
  readonly provider: ProviderName
  /** Namespace of the control plane: `istio-system`, `aks-istio-system`. */
  readonly namespace?: string
  /** For example `asm-1-30` or `default`; absent: no control-plane Deployment was seen ("revision unknown"). */
  readonly revision?: string
  /** For example `1.30.2`, from the control plane's image. */
  readonly version?: string
  readonly gatewayApi?: { readonly bundle: string; readonly channel: string }
}
