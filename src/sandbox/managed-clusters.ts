import * as z from 'zod'
import { SANDBOX_CLUSTERS } from './emulated-cluster.ts'
import { type ArmEmulator, armEmulator } from './emulators/arm/arm.ts'
import { newManagedCluster, resourceOf } from './emulators/arm/managed-cluster.ts'
import { type Emulator, type EmulatorContext, jsonBody, jsonResponse } from './emulators/emulator.ts'
import type { EntraEmulator } from './emulators/entra/entra.ts'
import { SANDBOX_TENANT } from './identities.ts'
import { SANDBOX_VAULT_ID } from './sandbox-vault.ts'

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
    arm.put(newManagedCluster({ id, server, caData: CA_DATA }, arm.get(id)?.properties ?? FIRST_PROPERTIES[name]))
  }
}

/** The first cluster has a plug-in CA, whose four secrets are wanted in the sandbox's vault; istiod of the other made its own root. */
const FIRST_PROPERTIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  east: {
    serviceMeshProfile: {
      mode: 'Istio',
      istio: {
        revisions: ['asm-1-30'],
        components: {
          ingressGateways: [{ mode: 'External', enabled: true }],
          proxyRedirectionMechanism: 'CNIChaining',
        },
        certificateAuthority: {
          plugin: {
            keyVaultId: SANDBOX_VAULT_ID,
            rootCertObjectName: 'root-cert',
            certObjectName: 'ca-cert',
            certChainObjectName: 'cert-chain',
            keyObjectName: 'ca-key',
          },
        },
      },
    },
  },
}

const change = z.strictObject({
  /** Takes the place of properties of the resource, each as a whole. */
  properties: z.record(z.string(), z.unknown()).default({}),
  /** Meshwright's role on the cluster is taken away, or given back. */
  denied: z.boolean().optional(),
})

/**
 * How people play with what Azure says of a cluster: `GET /world/azure/{cluster}`, and `PATCH` with `{ properties?, denied? }`,
 * such as `{ "properties": { "powerState": { "code": "Stopped" } } }`. What runs in the cluster is not touched.
 */
export function managedClusterControl(arm: ArmEmulator): Emulator {
  return async (request) => {
    const id = sandboxClusterId(request.url.pathname.split('/')[3] ?? '')
    const cluster = arm.get(id)
    if (!cluster) return jsonResponse(404, { error: 'nothing here' })
    if (request.method === 'GET') return jsonResponse(200, resourceOf(cluster))
    if (request.method !== 'PATCH') return jsonResponse(405, { error: 'the method is not allowed here' })
    const parsed = change.safeParse(jsonOf(request))
    if (!parsed.success) return jsonResponse(400, { error: 'the body is not valid', issues: parsed.error.issues })
    const { properties, denied } = parsed.data
    const changed = { ...cluster, properties: { ...cluster.properties, ...properties } }
    arm.put(changed)
    if (denied !== undefined) arm.deny(id, denied)
    return jsonResponse(200, resourceOf(changed))
  }
}

function jsonOf(request: Parameters<typeof jsonBody>[0]): unknown {
  try {
    return jsonBody(request)
  } catch {
    return undefined
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
