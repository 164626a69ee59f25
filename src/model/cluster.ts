import * as z from 'zod'
import { gatewaySpec } from './gateway.ts'
import { metricsSpec } from './metrics.ts'
import { dnsLabel, labelMap } from './names.ts'

export const PROVIDERS = ['istio', 'linkerd', 'consul', 'osm', 'gateway-api'] as const
export type ProviderName = (typeof PROVIDERS)[number]

const ARM_CLUSTER =
  /^\/subscriptions\/[0-9a-fA-F-]{36}\/resourceGroups\/[^/?#%\s]{0,89}[^/?#%\s.]\/providers\/Microsoft\.ContainerService\/managedClusters\/[A-Za-z0-9][\w-]{0,62}$/i

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
      .strictObject({
        provider: z.enum(PROVIDERS).optional().describe('Found out when left out'),
        gateways: z
          .record(dnsLabel, gatewaySpec)
          .refine((gateways) => Object.keys(gateways).length <= 32, 'may hold 32 gateways at most')
          .optional()
          .describe(
            'Gateways by the names by which services expose themselves (exposure.gateway). external and internal of the AKS Istio add-on need no entry',
          ),
        envoyFilters: z
          .boolean()
          .optional()
          .describe('Istio: EnvoyFilters may be written, which rate limits need and AKS does not support'),
      })
      .optional(),
    labels: labelMap.default({}),
    metrics: metricsSpec.optional(),
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
  /** Open Service Mesh lets everybody call everybody, whatever its policies say; absent: not known, or not this mesh. */
  readonly permissive?: boolean
  /** Whoever registered the cluster lets EnvoyFilters be written. */
  readonly envoyFilters?: boolean
}

/** What Azure Resource Manager says of an AKS cluster. */
export interface ManagedClusterFacts {
  /** `Succeeded`, `Updating`, …: the provisioning state. */
  readonly provisioningState: string
  readonly powerState?: 'Running' | 'Stopped'
  readonly location: string
  readonly kubernetesVersion?: string
  /** The API server is reached through a private endpoint only. */
  readonly isPrivate: boolean
  /** Entra ID signs people in; without it, a cluster is refused. */
  readonly entra: { readonly enabled: boolean; readonly azureRbac: boolean; readonly localAccountsDisabled: boolean }
  /** The service mesh add-on; absent: it is off. */
  readonly mesh?: {
    /** One, or two while an upgrade by canary runs. */
    readonly revisions: readonly string[]
    readonly ingressGateways: readonly { readonly mode: 'Internal' | 'External'; readonly enabled: boolean }[]
    readonly egressGateways: readonly {
      readonly name: string
      readonly namespace?: string
      readonly enabled: boolean
    }[]
    /** Plug-in CA: where istiod's CA comes from. Names of objects in the vault, no values. */
    readonly pluginCa?: {
      readonly keyVaultId: string
      readonly rootCert: string
      readonly cert: string
      readonly certChain: string
      readonly key: string
    }
  }
  /** The add-on azureKeyvaultSecretsProvider; absent: it is off. */
  readonly secretsProvider?: { readonly clientId?: string; readonly rotation: boolean; readonly pollInterval?: string }
  /** Managed Prometheus is on. */
  readonly azureMonitorMetrics: boolean
}
