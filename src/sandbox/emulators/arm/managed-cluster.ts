import { createHash } from 'node:crypto'

/** An AKS cluster as the emulated Azure keeps it. */
export interface ManagedCluster {
  /** `/subscriptions/…/managedClusters/NAME`, in the case of its making; found in any. */
  readonly id: string
  readonly location: string
  /** The API server, as the user credential names it. */
  readonly server: string
  /** Base64 of the PEM of the CA that signed the API server's certificate. */
  readonly caData: string
  /** `properties` of the resource. */
  readonly properties: Readonly<Record<string, unknown>>
}

export interface ClusterName {
  readonly subscription: string
  readonly resourceGroup: string
  readonly name: string
}

/** The parts of a managed cluster's id. Throws Error for another id. */
export function nameOf(id: string): ClusterName {
  const [, , subscription, , resourceGroup, , , , name] = id.split('/')
  if (subscription === undefined || resourceGroup === undefined || name === undefined) throw new Error(`no id: ${id}`)
  return { subscription, resourceGroup, name }
}

/** A cluster as `az aks create` makes it with Entra ID, the Istio add-on and the Key Vault secrets provider. */
export function newManagedCluster(
  cluster: Pick<ManagedCluster, 'id' | 'server' | 'caData'>,
  properties: ManagedCluster['properties'] = {},
): ManagedCluster {
  const usual = {
    provisioningState: 'Succeeded',
    powerState: { code: 'Running' },
    kubernetesVersion: '1.34',
    currentKubernetesVersion: '1.34.2',
    fqdn: new URL(cluster.server).hostname,
    enableRBAC: true,
    disableLocalAccounts: true,
    aadProfile: { managed: true, enableAzureRBAC: false, adminGroupObjectIDs: [] },
    apiServerAccessProfile: { enablePrivateCluster: false },
    addonProfiles: {
      azureKeyvaultSecretsProvider: {
        enabled: true,
        config: { enableSecretRotation: 'true', rotationPollInterval: '2m' },
        identity: { clientId: '00000000-eeee-4000-8000-000000000001' },
      },
    },
    azureMonitorProfile: { metrics: { enabled: true } },
    serviceMeshProfile: {
      mode: 'Istio',
      istio: {
        revisions: ['asm-1-30'],
        components: {
          ingressGateways: [{ mode: 'External', enabled: true }],
          proxyRedirectionMechanism: 'CNIChaining',
        },
      },
    },
  }
  return { location: 'westeurope', ...cluster, properties: { ...usual, ...properties } }
}

/** The resource as a GET answers it. Secrets are never in it. */
export function resourceOf({ id, location, properties }: ManagedCluster): Record<string, unknown> {
  const resource = {
    id,
    name: nameOf(id).name,
    type: 'Microsoft.ContainerService/ManagedClusters',
    location,
    sku: { name: 'Base', tier: 'Standard' },
    identity: { type: 'SystemAssigned' },
    properties,
  }
  return { ...resource, eTag: createHash('sha256').update(JSON.stringify(resource)).digest('hex').slice(0, 32) }
}
