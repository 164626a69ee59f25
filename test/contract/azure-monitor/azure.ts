import type { Azure } from '../../../src/adapters/azure.ts'
import { metricsSources } from '../../../src/adapters/metrics-sources.ts'
import { systemClock } from '../../../src/adapters/system-clock.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { MetricsSource, MetricsSources, ValueSource } from '../../../src/ports/metrics.ts'
import type { CheckToken } from '../../../src/sandbox/emulators/azure-monitor/access.ts'
import type { Emulator, EmulatorRequest } from '../../../src/sandbox/emulators/emulator.ts'
import { type EntraEmulator, entraEmulator } from '../../../src/sandbox/emulators/entra/entra.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { fetchTransport } from '../../../src/sandbox/transports/fetch-transport.ts'
import { pipelineTransport } from '../../../src/sandbox/transports/pipeline-transport.ts'

const OPTIONS = {
  tenantId: '00000000-0000-4000-8000-000000000001',
  issuer: 'https://sandbox.invalid/v2.0',
  audience: 'api://meshwright',
  lifetimeS: 3600,
}

/** Our side of Azure, on an emulator in process, and what was asked of it. */
export interface AzureOnEmulator {
  readonly azure: Azure
  readonly entra: EntraEmulator
  readonly asked: readonly EmulatorRequest[]
  /** Scopes that tokens were asked for. */
  readonly scopes: readonly string[]
}

/** Tokens come from an emulated tenant; requests, of SDKs and by fetch, go to the emulator. */
export async function azureOn(make: (check: CheckToken) => Emulator): Promise<AzureOnEmulator> {
  const context = { now: Date.now, random: Math.random, storage: memoryStorage() }
  const entra = await entraEmulator(context, OPTIONS)
  const emulator = make(entra.checkToken)
  const asked: EmulatorRequest[] = []
  const scopes: string[] = []
  const recorded: Emulator = (request) => {
    asked.push(request)
    return emulator(request)
  }
  const azure: Azure = {
    credential: {
      async getToken(scope) {
        const wanted = [scope].flat().join()
        scopes.push(wanted)
        const token = await entra.issueServiceToken(wanted.replace(/\/\.default$/, ''))
        return { token, expiresOnTimestamp: Date.now() + 3_600_000 }
      },
    },
    httpClient: pipelineTransport(recorded),
    fetch: fetchTransport(recorded),
  }
  return { azure, entra, asked, scopes }
}

export function sourcesOn(azure: Azure, clock: Clock = systemClock()): MetricsSources {
  return metricsSources({ azure, addresses: { refusal: async () => undefined } }, clock)
}

/** Cluster `east` with these metrics. */
export function east(metrics: unknown) {
  return { name: 'east', spec: clusterSpec.parse({ kubeconfig: { context: 'east' }, metrics }) }
}

/** The Prometheus of cluster `east` with these metrics. */
export async function clusterOn(azure: Azure, metrics: unknown): Promise<MetricsSource & ValueSource> {
  const sources = sourcesOn(azure)
  const [source, values] = [await sources.open(east(metrics)), await sources.openValues(east(metrics), 'mesh')]
  if (source === undefined || values === undefined) throw new Error('no source')
  return { ...source, ...values }
}
