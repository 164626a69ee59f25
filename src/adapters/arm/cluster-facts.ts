import type { ManagedCluster, ServiceMeshProfile } from '@azure/arm-containerservice'
import type { ManagedClusterFacts } from '../../model/cluster.ts'
import { PortError } from '../../ports/port-error.ts'

type MeshFacts = NonNullable<ManagedClusterFacts['mesh']>

/**
 * What we keep of a managed cluster. Things are named in an order that does not depend on the answer's. Throws PortError
 * `unavailable` for an answer that is no cluster's: the SDK takes any, and what is not there would be believed to be off.
 */
export function factsOf(cluster: ManagedCluster, system: string): ManagedClusterFacts {
  if (!cluster.id || !cluster.location || !cluster.provisioningState) {
    throw new PortError('unavailable', system, `${system} gave an answer of another form`, { reason: 'ArmUnavailable' })
  }
  const { aadProfile, powerState, addonProfiles } = cluster
  const power = powerState?.code
  const kubernetesVersion = cluster.currentKubernetesVersion ?? cluster.kubernetesVersion
  const mesh = meshOf(cluster.serviceMeshProfile)
  const secretsProvider = secretsProviderOf(addonProfiles)
  return {
    provisioningState: cluster.provisioningState,
    ...(power === 'Running' || power === 'Stopped' ? { powerState: power } : {}),
    location: cluster.location,
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    isPrivate: cluster.apiServerAccessProfile?.enablePrivateCluster === true,
    entra: {
      enabled: Boolean(aadProfile),
      azureRbac: aadProfile?.enableAzureRbac === true,
      localAccountsDisabled: cluster.disableLocalAccounts === true,
    },
    ...(mesh ? { mesh } : {}),
    ...(secretsProvider ? { secretsProvider } : {}),
    azureMonitorMetrics: cluster.azureMonitorProfile?.metrics?.enabled === true,
  }
}

function meshOf(profile: ServiceMeshProfile | undefined): MeshFacts | undefined {
  if (profile?.mode !== 'Istio') return undefined
  const { revisions = [], components, certificateAuthority } = profile.istio ?? {}
  const plugin = certificateAuthority?.plugin
  return {
    revisions: [...revisions].sort(byNumber),
    ingressGateways: (components?.ingressGateways ?? [])
      .map(({ mode, enabled }) => ({
        mode: mode === 'Internal' ? ('Internal' as const) : ('External' as const),
        enabled,
      }))
      .sort((a, b) => a.mode.localeCompare(b.mode, 'en')),
    egressGateways: (components?.egressGateways ?? [])
      .map(({ name, namespace, enabled }) => ({ name, ...(namespace === undefined ? {} : { namespace }), enabled }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
    ...(plugin
      ? {
          pluginCa: {
            keyVaultId: plugin.keyVaultId ?? '',
            rootCert: plugin.rootCertObjectName ?? '',
            cert: plugin.certObjectName ?? '',
            certChain: plugin.certChainObjectName ?? '',
            key: plugin.keyObjectName ?? '',
          },
        }
      : {}),
  }
}

/** `asm-1-9` before `asm-1-10`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function secretsProviderOf(addons: ManagedCluster['addonProfiles']): ManagedClusterFacts['secretsProvider'] {
  // The service has given the name in more than one case.
  const found = Object.entries(addons ?? {}).find(([name]) => name.toLowerCase() === 'azurekeyvaultsecretsprovider')
  const addon = found?.[1]
  if (!addon?.enabled) return undefined
  const clientId = addon.identity?.clientId
  const pollInterval = addon.config?.rotationPollInterval
  return {
    ...(clientId === undefined ? {} : { clientId }),
    rotation: addon.config?.enableSecretRotation?.toLowerCase() === 'true',
    ...(pollInterval === undefined ? {} : { pollInterval }),
  }
}
