import * as z from 'zod'

/** `ManagedClusterFacts`: what Azure says of a cluster by ARM id. */
export const aksView = z
  .object({
    provisioningState: z.string().describe('Succeeded, Updating, Upgrading, Failed …'),
    powerState: z.enum(['Running', 'Stopped']).optional(),
    location: z.string(),
    kubernetesVersion: z.string().optional(),
    isPrivate: z.boolean().describe('The API server is reached through a private endpoint only'),
    entra: z
      .object({ enabled: z.boolean(), azureRbac: z.boolean(), localAccountsDisabled: z.boolean() })
      .describe('Who signs people in; a cluster without Entra ID is refused'),
    mesh: z
      .object({
        revisions: z.array(z.string()).describe('One; two while a canary upgrade is under way'),
        ingressGateways: z.array(z.object({ mode: z.enum(['Internal', 'External']), enabled: z.boolean() })),
        egressGateways: z.array(z.object({ name: z.string(), namespace: z.string().optional(), enabled: z.boolean() })),
        pluginCa: z
          .object({
            keyVaultId: z.string(),
            rootCert: z.string(),
            cert: z.string(),
            certChain: z.string(),
            key: z.string(),
          })
          .optional()
          .describe('Names of objects in the vault that the mesh takes its CA from'),
      })
      .optional()
      .describe('The Istio add-on; left out when it is off'),
    secretsProvider: z
      .object({ clientId: z.string().optional(), rotation: z.boolean(), pollInterval: z.string().optional() })
      .optional()
      .describe('The add-on azureKeyvaultSecretsProvider; left out when it is off'),
    azureMonitorMetrics: z.boolean().describe('Managed Prometheus is on'),
  })
  .meta({ id: 'ManagedCluster' })
