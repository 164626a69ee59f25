import { advanceCertificate } from '../../../src/certificates/advance-certificate.ts'
import { putCertificate } from '../../../src/certificates/put-certificate.ts'
import { type CertificateSpec, certificateSpec, type DeliveryState } from '../../../src/model/certificate.ts'
import type { CertificateDocument, DeliveryDocument } from '../../../src/model/documents.ts'
import type { Role } from '../../../src/model/identity.ts'
import { aCaller, aCluster, by } from '../fakes/documents.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { type MemoryVault, MemoryVaults } from '../fakes/memory-vault.ts'

export const VAULT = 'https://shop.vault.azure.net'
export const START = Date.UTC(2030, 0, 1)
export const SECOND = 1000
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

export const OPERATOR = by({ caller: aCaller({ roles: ['Mesh.Operator'] satisfies Role[] }) })

export function certificate(change: Readonly<Record<string, unknown>> = {}): CertificateSpec {
  return certificateSpec.parse({
    purpose: 'gateway-tls',
    dnsNames: ['web.example.com'],
    clusters: ['east', 'west'],
    secret: { namespace: 'ingress', name: 'web-tls' },
    issuer: { kind: 'self' },
    ...change,
  })
}

export interface World {
  readonly store: MemoryStore
  readonly vaults: MemoryVaults
  readonly vault: MemoryVault
  readonly deps: {
    readonly store: MemoryStore
    readonly clock: { now(): number; sleep(): Promise<void> }
    readonly vaults: MemoryVaults
    readonly vaultUrl: string
  }
  pass(ms: number): void
  now(): number
  put(change?: Readonly<Record<string, unknown>>, name?: string): Promise<void>
  advance(name?: string): Promise<void>
  document(name?: string): CertificateDocument
  /** What reconcile would do: every target of every cluster, or of those named, is delivered. */
  deliver(clusters?: readonly string[]): void
  deliveryIs(cluster: string, change: Partial<DeliveryState>): void
  /** Types of the events so far. */
  events(): readonly string[]
  /** Advances, completes what is pending, delivers, until the live rotation is over. */
  settle(): Promise<void>
}

/** Clusters east and west, an empty vault, and time that the test lets pass. */
export function createWorld(): World {
  const store = new MemoryStore({ relaying: true })
  let now = START
  const vaults = new MemoryVaults(() => now)
  const vault = vaults.open(VAULT)
  const deps = { store, clock: { now: () => now, sleep: async () => undefined }, vaults, vaultUrl: VAULT }
  for (const name of ['east', 'north', 'west']) store.put(aCluster(name))
  const document = (name = 'web-tls') => store.get('certificate', name)
  const advance = async (name = 'web-tls') => {
    const done = await advanceCertificate(deps, name)
    if (!done.ok) throw new Error(done.failure.detail)
  }
  const deliveryIs = (cluster: string, change: Partial<DeliveryState>) => {
    const { name, targets } = document()
    const at = new Date(now).toISOString()
    const before = store.peek('delivery', `${name}/${cluster}`)
    const delivery: DeliveryDocument = {
      kind: 'delivery',
      schema: 1,
      outbox: [],
      createdAt: at,
      updatedAt: at,
      certificate: name,
      cluster,
      state: 'delivered',
      reason: 'SecretHoldsIt',
      message: `${cluster} holds it.`,
      ...(targets[cluster] ? { written: targets[cluster] } : {}),
      deliveredAt: at,
      objects: [{ apiVersion: 'v1', kind: 'Secret', namespace: 'ingress', name: 'web-tls', uid: cluster }],
      attempts: 0,
      ...(before && change.state !== undefined && change.state !== 'delivered' ? { written: before.written } : {}),
      ...change,
    } as DeliveryDocument
    store.put(delivery)
  }
  const deliver = (clusters: readonly string[] = Object.keys(document().targets)) => {
    for (const cluster of clusters) if (document().targets[cluster]) deliveryIs(cluster, {})
  }
  return {
    store,
    vaults,
    vault,
    deps,
    document,
    advance,
    deliver,
    deliveryIs,
    pass: (ms) => {
      now += ms
    },
    now: () => now,
    async put(change = {}, name = 'web-tls') {
      const put = await putCertificate(deps, name, certificate(change), OPERATOR)
      if (!put.ok) throw new Error(JSON.stringify(put.failure))
    },
    events: () => store.kept.map(({ type }) => type),
    async settle() {
      for (let turn = 0; turn < 10; turn += 1) {
        await advance()
        const { rotation } = document()
        if (!rotation || rotation.phase === 'succeeded' || rotation.phase === 'failed') return
        if (rotation.phase === 'creating') await vault.complete(document().spec.vaultName ?? 'web-tls')
        deliver()
      }
    },
  }
}
