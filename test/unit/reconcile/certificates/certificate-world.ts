import { type CertificateTarget, certificateSpec } from '../../../../src/model/certificate.ts'
import type { CertificateDocument, ClusterDocument, DeliveryDocument } from '../../../../src/model/documents.ts'
import type { FreezeSpec } from '../../../../src/model/freeze.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import type { OutboxEntry } from '../../../../src/model/outbox.ts'
import type { ShownCertificate } from '../../../../src/ports/handshake.ts'
import { deliverCertificate } from '../../../../src/reconcile/certificates/deliver-certificate.ts'
import { MemoryVaults, type OtherHand } from '../../fakes/memory-vault.ts'
import { FakeClock, FakeCluster, FakeStore } from '../fakes.ts'
import { clusterDocument } from '../world.ts'

const AT = '2026-05-01T10:00:00.000Z'
export const VAULT = 'https://certs.vault.azure.net'
export const SECRET = 'web-tls-secret'
const DAY_MS = 86_400_000

/** Certificate web-tls on cluster east, delivered into namespace gateways. */
export class CertificateWorld {
  readonly clock = new FakeClock()
  readonly store = new FakeStore()
  readonly cluster = new FakeCluster()
  readonly vaults = new MemoryVaults(() => this.clock.now())
  readonly vault = this.vaults.open(VAULT)
  /** What gateways show, by `host:port`; those that are not here cannot be reached. */
  readonly shown = new Map<string, string>()
  readonly looks: string[] = []
  readonly deps = {
    store: this.store,
    clusters: this.cluster,
    clock: this.clock,
    random: { next: () => 0.5, uuid: () => '00000000-0000-4000-8000-000000000000' },
    vaults: this.vaults,
    vaultUrl: VAULT,
    handshakes: { look: (host: string, port: number, name: string) => this.look(host, port, name) },
  }

  constructor() {
    this.store.put(clusterDocument())
    this.store.put(certificateDocument())
    this.cluster.edit('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gateways' } })
  }

  private async look(host: string, port: number, name: string): Promise<ShownCertificate | undefined> {
    this.looks.push(`${name} at ${host}:${port}`)
    const serial = this.shown.get(`${host}:${port}`)
    return serial === undefined ? undefined : { serial, notAfter: AT }
  }

  /** A new version in the vault that the cluster is to hold. */
  async want(how: Partial<OtherHand> = {}): Promise<CertificateTarget> {
    const made = await this.vault.addVersion('web-tls', { dnsNames: ['web.example.com'], ...how })
    const target = { version: made.version, serial: made.serial, revision: this.certificate.revision + 1 }
    this.change({ revision: target.revision, targets: { east: target } })
    return target
  }

  change(change: Partial<CertificateDocument>): void {
    this.store.put({ ...this.certificate, ...change })
  }

  spec(change: Readonly<Record<string, unknown>>): void {
    this.change({ spec: certificateSpec.parse({ ...this.certificate.spec, ...change }) })
  }

  clusterIs(change: Partial<ClusterDocument>): void {
    this.store.put(clusterDocument(change))
  }

  freeze(spec: FreezeSpec): void {
    const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] }
    this.store.put({ ...base, kind: 'freeze', name: 'holiday', spec })
  }

  deliver(): Promise<void> {
    return deliverCertificate(this.deps, { certificate: 'web-tls', cluster: 'east' })
  }

  /** Forgets what was sent on, and lets time pass. */
  later(ms: number): void {
    this.clock.at += ms
    if (this.store.peek('delivery', 'web-tls/east')) this.store.put({ ...this.delivery, outbox: [] })
  }

  get certificate(): CertificateDocument {
    const found = this.store.peek('certificate', 'web-tls')
    if (!found) throw new Error('no certificate')
    return found
  }

  get delivery(): DeliveryDocument {
    const found = this.store.peek('delivery', 'web-tls/east')
    if (!found) throw new Error('no delivery')
    return found
  }

  get secret(): KubeObject | undefined {
    return this.cluster.peek('Secret', SECRET)
  }

  /** A load balancer of a gateway, in the Secret's namespace. */
  addGateway(ip: string, selector: Readonly<Record<string, string>> = { istio: 'ingress' }): void {
    this.cluster.edit('cloud', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `gateway-${ip}`, namespace: 'gateways' },
      spec: { type: 'LoadBalancer', selector, ports: [{ port: 80 }, { port: 443 }] },
      status: { loadBalancer: { ingress: [{ ip }] } },
    })
  }

  /** Types of the events that wait to be sent. */
  events(): readonly string[] {
    return this.delivery.outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event.type] : []))
  }

  work(): readonly string[] {
    return workIn(this.delivery.outbox)
  }
}

export function workIn(outbox: readonly OutboxEntry[]): readonly string[] {
  return outbox.flatMap((entry) => (entry.kind === 'work' ? [`${entry.queue} ${entry.message.kind}`] : []))
}

export function days(count: number): number {
  return count * DAY_MS
}

export function dataOf(object: KubeObject | undefined): Readonly<Record<string, string>> {
  const data = (object?.data ?? {}) as Readonly<Record<string, string>>
  return Object.fromEntries(Object.entries(data).map(([name, text]) => [name, Buffer.from(text, 'base64').toString()]))
}

export function certificateDocument(): CertificateDocument {
  return {
    schema: 1,
    outbox: [],
    createdAt: AT,
    updatedAt: AT,
    kind: 'certificate',
    name: 'web-tls',
    spec: certificateSpec.parse({
      purpose: 'gateway-tls',
      dnsNames: ['*.example.com', 'web.example.com'],
      clusters: ['east'],
      secret: { namespace: 'gateways', name: SECRET },
      issuer: { kind: 'self' },
    }),
    generation: 1,
    idempotency: [],
    observedGeneration: 1,
    conditions: [],
    history: [],
    clusters: ['east'],
    targets: {},
    leaving: [],
    revision: 100,
    warned: [],
  }
}
