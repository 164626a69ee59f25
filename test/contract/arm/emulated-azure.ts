import type { TokenCredential } from '@azure/core-auth'
import type { Azure } from '../../../src/adapters/azure.ts'
import { type ArmEmulator, armEmulator } from '../../../src/sandbox/emulators/arm/arm.ts'
import { newManagedCluster } from '../../../src/sandbox/emulators/arm/managed-cluster.ts'
import type { EmulatorRequest } from '../../../src/sandbox/emulators/emulator.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { fetchTransport } from '../../../src/sandbox/transports/fetch-transport.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'

export const SUBSCRIPTION = '00000000-dddd-4000-8000-00000000000a'
export const TENANT = '00000000-aaaa-4000-8000-00000000000a'
const ARM_SCOPE = 'https://management.azure.com/.default'

/** The ARM id of a cluster in the resource group `rg`. */
export function armId(name: string, group = 'rg'): string {
  return `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.ContainerService/managedClusters/${name}`
}

/** A cluster with the address that AKS would give it. */
export function aksCluster(name: string, properties: Record<string, unknown> = {}, group = 'rg') {
  const server = `https://${name}-x1.hcp.westeurope.azmk8s.io:443`
  return newManagedCluster({ id: armId(name, group), server, caData: CA_DATA }, properties)
}

export const CA_DATA = Buffer.from('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n').toString('base64')

export interface EmulatedAzure {
  readonly arm: ArmEmulator
  readonly azure: Azure
  /** What ARM was asked, in order. */
  readonly asked: EmulatorRequest[]
  /** Scopes that tokens were asked for, in order. */
  readonly scopes: string[]
  /** The number in the token that is taken now, and from then on given. */
  token: number
}

/** An emulated Azure in process, and an identity whose ARM tokens it takes. */
export function emulatedAzure(now: () => number, pageSize?: number): EmulatedAzure {
  const asked: EmulatorRequest[] = []
  const scopes: string[] = []
  const context = { now, random: () => 0.5, storage: memoryStorage() }
  const acceptToken = async (token: string) => token === `${ARM_SCOPE} ${state.token}`.replaceAll(' ', '#')
  const arm = armEmulator(context, { tenantId: TENANT, acceptToken, ...(pageSize === undefined ? {} : { pageSize }) })
  const seen = (request: EmulatorRequest) => {
    asked.push(request)
    return arm.handle(request)
  }
  const credential: TokenCredential = {
    async getToken(scope) {
      scopes.push(String(scope))
      // The SDK looks at the machine's clock.
      return { token: `${scope}#${state.token}`, expiresOnTimestamp: Date.now() + 3_600_000 }
    },
  }
  const azure: Azure = { credential, httpClient: pipelineTransport(seen), fetch: fetchTransport(seen) }
  const state: EmulatedAzure = { arm, azure, asked, scopes, token: 1 }
  return state
}
