import type { CaRotation } from '../../../../src/model/ca-rotation.ts'
import type { MeshCaDocument, TrustDocument } from '../../../../src/model/documents.ts'
import { MESHWRIGHT } from '../../../../src/model/identity.ts'
import { type CaSet, meshCaSpec } from '../../../../src/model/mesh-ca.ts'
import { timestamp } from '../../../../src/model/names.ts'
import type { Vaults } from '../../../../src/ports/vault.ts'
import { lookAtTrust } from '../../../../src/reconcile/trust/look-at-trust.ts'
import { FakeMetrics } from '../../fakes/fake-metrics.ts'
import { MemorySecrets } from '../../fakes/memory-secrets.ts'
import { FakeClock, FakeCluster, FakeStore } from '../fakes.ts'
import { clusterDocument } from '../world.ts'

const AT = '2026-05-01T10:00:00.000Z'

/** Cluster east, whose mesh CA east-ca is registered. */
export class TrustWorld {
  readonly clock = new FakeClock()
  readonly store = new FakeStore()
  readonly cluster = new FakeCluster()
  readonly metrics = new FakeMetrics()
  readonly secrets = new MemorySecrets(() => this.clock.now())
  readonly vaults: Vaults = { open: () => never(), keys: () => never(), secrets: () => this.secrets }
  /** What a Pod shows at an address of its own. */
  leaf: (address: string, port: number) => string | undefined = () => undefined
  readonly deps = {
    vaults: this.vaults,
    vaultUrl: 'https://mesh.vault.azure.net',
    store: this.store,
    clusters: this.cluster,
    clock: this.clock,
    metrics: this.metrics,
    podHandshakes: { leaf: async (address: string, port: number) => this.leaf(address, port) },
    random: { next: () => 0.5, uuid: () => '00000000-0000-4000-8000-000000000000' },
  }

  constructor() {
    this.metrics.delayMs = 0
    this.store.put(clusterDocument())
    this.store.put(meshCaDocument())
  }

  namespace(name: string, labels: Readonly<Record<string, string>> = {}): void {
    this.cluster.edit('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  }

  /** What istiod writes into a namespace. */
  bundle(namespace: string, pem: string): void {
    const metadata = { name: 'istio-ca-root-cert', namespace }
    this.cluster.edit('istiod', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'root-cert.pem': pem } })
  }

  /** A Pod with a sidecar that began `agoMs` ago. */
  pod(namespace: string, name: string, agoMs: number, more: Readonly<Record<string, unknown>> = {}): void {
    const creationTimestamp = new Date(this.clock.now() - agoMs).toISOString().replace('.000', '')
    const labels = { 'security.istio.io/tlsMode': 'istio', 'service.istio.io/canonical-name': name }
    const metadata = { name, namespace, labels, creationTimestamp }
    this.cluster.edit('kubelet', { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' }, ...more })
  }

  ca(change: Partial<MeshCaDocument>): void {
    const before = this.store.peek('mesh-ca', 'east-ca')
    if (!before) throw new Error('no CA')
    this.store.put({ ...before, ...change })
  }

  except(...exceptNamespaces: readonly string[]): void {
    const { spec } = meshCaDocument()
    this.ca({ spec: meshCaSpec.parse({ ...spec, exceptNamespaces }) })
  }

  rotate(change: Partial<CaRotation> = {}): void {
    const now = timestamp(this.clock.now())
    const rotation: CaRotation = {
      id: 'r1',
      what: 'root',
      phase: 'widening',
      direction: 'on',
      reason: 'Asked',
      message: '',
      actor: MESHWRIGHT,
      startedAt: now,
      phaseSince: now,
      attempts: 0,
      ...change,
    }
    this.ca({ rotation })
  }

  look(): Promise<void> {
    return lookAtTrust(this.deps, { ca: 'east-ca' })
  }

  /** Forgets what was sent on, and lets time pass. */
  later(ms: number): void {
    this.clock.at += ms
    if (this.store.peek('trust', 'east-ca')) this.store.put({ ...this.trust, outbox: [] })
  }

  get trust(): TrustDocument {
    const found = this.store.peek('trust', 'east-ca')
    if (!found) throw new Error('nothing was seen')
    return found
  }

  /** Kinds of work that wait to be sent, the next look with its seconds from now. */
  work(): readonly string[] {
    return this.trust.outbox.flatMap((entry) => {
      if (entry.kind !== 'work') return []
      const inMs =
        entry.notBefore === undefined ? '' : ` in ${(Date.parse(entry.notBefore) - this.clock.now()) / 1000} s`
      return [`${entry.message.kind}${inMs}`]
    })
  }
}

function never(): never {
  throw new Error('nobody asks for it')
}

export function meshCaDocument(change: Partial<MeshCaDocument> = {}): MeshCaDocument {
  return {
    schema: 1,
    outbox: [],
    createdAt: AT,
    updatedAt: AT,
    kind: 'mesh-ca',
    name: 'east-ca',
    spec: meshCaSpec.parse({ purpose: 'mesh-ca', cluster: 'east', root: { kind: 'vault-key' } }),
    generation: 1,
    idempotency: [],
    observedGeneration: 1,
    conditions: [],
    history: [],
    warned: { root: [], signer: [] },
    ...change,
  }
}

/** A set whose signer ends at `notAfter`. */
export function setEnding(notAfter: string): CaSet {
  const certificate = { serial: '1', fingerprint: 'f', subject: 'CN=a', notBefore: AT, notAfter }
  const versions = { rootCert: 'v', caCert: 'v', certChain: 'v', caKey: 'v' }
  return { rootCert: '', caCert: '', certChain: '', versions, roots: [certificate], signer: certificate }
}
