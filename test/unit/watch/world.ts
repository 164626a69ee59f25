import type { FoundDocument } from '../../../src/model/documents.ts'
import type { EventRecord } from '../../../src/model/event.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import type { Vaults } from '../../../src/ports/vault.ts'
import { lookAtPlace } from '../../../src/watch/look-at-place.ts'
import { aCluster } from '../fakes/documents.ts'
import { FakeClusters } from '../fakes/fake-clusters.ts'
import { someFacts } from '../fakes/fake-managed-clusters.ts'
import { MemorySecrets } from '../fakes/memory-secrets.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { MemoryVault } from '../fakes/memory-vault.ts'

export const START = Date.UTC(2030, 0, 1)
export const DAY = 86_400_000
export const VAULT = 'https://corp.vault.azure.net'

const PLUGIN = {
  keyVaultId: '/subscriptions/x/providers/Microsoft.KeyVault/vaults/Corp',
  rootCert: 'root-cert',
  cert: 'ca-cert',
  certChain: 'cert-chain',
  key: 'ca-key',
}

/** Azure's facts of a cluster whose mesh has a plug-in CA, or whose istiod made its own. */
export function meshFacts(pluginCa: boolean) {
  const mesh = { revisions: ['asm-1-30'], ingressGateways: [], egressGateways: [] }
  return someFacts({ mesh: pluginCa ? { ...mesh, pluginCa: PLUGIN } : mesh })
}

export type World = ReturnType<typeof createWorld>

/** Cluster west, which nobody has registered a CA for, one vault, and time that the test lets pass. */
export function createWorld() {
  const store = new MemoryStore({ relaying: true })
  const clusters = new FakeClusters()
  let now = START
  const clock = { now: () => now, sleep: async () => undefined }
  const secrets = new MemorySecrets(() => now)
  const vault = new MemoryVault(() => now)
  const only = <T>(url: string, one: T): T => {
    if (url === VAULT) return one
    throw new PortError('denied', 'Key Vault', `${url} may not be called`)
  }
  const never = () => {
    throw new Error('no key is looked at')
  }
  const vaults: Vaults = { open: (url) => only(url, vault), keys: never, secrets: (url) => only(url, secrets) }
  const random = { next: () => 1, uuid: () => '00000000-0000-4000-8000-000000000000' }
  const deps = { store, clusters, clock, vaults, random, vaultUrl: VAULT }
  store.put(aCluster('west', { aks: meshFacts(false) }))
  return {
    store,
    clusters,
    secrets,
    vault,
    deps,
    now: () => now,
    pass: (ms: number) => {
      now += ms
    },
    /** What istiod writes into namespaces. */
    bundles(pem: string, ...namespaces: readonly string[]) {
      const made = namespaces.map((namespace) => {
        const metadata = { name: 'istio-ca-root-cert', namespace }
        return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': pem } }
      })
      clusters.objects.set('ConfigMap', [...(clusters.objects.get('ConfigMap') ?? []), ...made])
    },
    async look(key = 'cluster/west') {
      const done = await lookAtPlace(deps, key)
      if (!done.ok) throw new Error(done.failure.detail)
    },
    found: (key = 'cluster/west'): FoundDocument => store.get('found', key),
    events: (): readonly EventRecord[] => store.kept,
  }
}
