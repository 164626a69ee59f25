import { SANDBOX_CLUSTERS } from './emulated-cluster.ts'
import { type ArmEmulator, armEmulator } from './emulators/arm/arm.ts'
import { newManagedCluster } from './emulators/arm/managed-cluster.ts'
import type { EmulatorContext } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { SANDBOX_TENANT } from './identities.ts'

export const SANDBOX_SUBSCRIPTION = '00000000-dddd-4000-8000-000000000001'

/** The ARM id of a cluster of the sandbox. */
export function sandboxClusterId(name: string): string {
  return `/subscriptions/${SANDBOX_SUBSCRIPTION}/resourceGroups/sandbox/providers/Microsoft.ContainerService/managedClusters/${name}`
}

/** The emulated Azure Resource Manager, which takes tokens of the sandbox's tenant. */
export function sandboxArm(context: EmulatorContext, entra: EntraEmulator): ArmEmulator {
  return armEmulator(context, {
    tenantId: SANDBOX_TENANT,
    acceptToken: (token) => entra.checkToken(token, 'https://management.azure.com'),
  })
}

/**
 * Lets the emulated Azure know the sandbox's clusters, each with its API server at `servicesUrl`; what was changed about one
 * stays. Without a URL there are no emulated clusters, and Azure knows none.
 */
export function registerManagedClusters(arm: ArmEmulator, servicesUrl: string | undefined): void {
  for (const name of SANDBOX_CLUSTERS) {
    const id = sandboxClusterId(name)
    if (servicesUrl === undefined) {
      arm.remove(id)
      continue
    }
    const server = `${servicesUrl}/kubernetes/${name}`
    arm.put(newManagedCluster({ id, server, caData: CA_DATA }, arm.get(id)?.properties))
  }
}

/** A CA's certificate, for the form of a credential: the servers speak plain HTTP, so it vouches for nothing. Its key is gone. */
const CA_DATA = Buffer.from(`-----BEGIN CERTIFICATE-----
MIIBkDCCATegAwIBAgIUXCL0pBneLRH1xC/9IO4eKMYk7Y0wCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSbWVzaHdyaWdodC1zYW5kYm94MCAXDTI2MTEyMzA1MTcwNloY
DzIxMjYxMDMwMDUxNzA2WjAdMRswGQYDVQQDDBJtZXNod3JpZ2h0LXNhbmRib3gw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR0EYxG/5jQTgDL/mQfzcGHEo5rGseH
IOxIICz7RMgr5XZJg6I3KmJbip0p6Jr/v+4B97K1MDleeU0Gd71K/Uz3o1MwUTAd
BgNVHQ4EFgQU+6cOTHy+1vdjBG0InZfq2K+Y3IcwHwYDVR0jBBgwFoAU+6cOTHy+
1vdjBG0InZfq2K+Y3IcwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBE
AiBAW8t1oUTKeXvKZavDmJpOG7AGVsyJzY0C1u02xA27VAIgcGaC8iqSKRRAE6Q/
S8uUwZDCXeb6IXky6bZam3TWJsU=
-----END CERTIFICATE-----
`).toString('base64')
