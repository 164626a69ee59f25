import { createHash, X509Certificate } from 'node:crypto'
import { readRoots } from '../../../../src/mesh/trust/read-roots.ts'
import type { MeshCaDocument } from '../../../../src/model/documents.ts'
import type { FreezeSpec } from '../../../../src/model/freeze.ts'
import type { KubeObject } from '../../../../src/model/kube.ts'
import { type CaSet, linkerdIdentitySpec } from '../../../../src/model/mesh-ca.ts'
import { type TestCaSet, type TestRoot, testCaSet, testRoot } from '../../fakes/mesh-authority.ts'
import { meshCaDocument, TrustWorld } from '../trust/trust-world.ts'
import { clusterDocument } from '../world.ts'

export const NAMESPACE = 'linkerd'
export const CONFIG_MAP = 'linkerd-identity-trust-roots'
export const SECRET = 'linkerd-identity-issuer'
const FIRST_REVISION = 100
const AT = '2026-05-01T10:00:00.000Z'

/** What the vault holds of a signer, with who it is below. */
export interface TestIssuer extends TestCaSet {
  readonly root: TestRoot
}

/** An issuer directly below a root. */
export async function testIssuer(root: TestRoot, now: number, lifetimeMs?: number): Promise<TestIssuer> {
  const set = await testCaSet(root, now, lifetimeMs === undefined ? {} : { lifetimeMs })
  return { ...set, certChain: set.caCert, root }
}

/** Cluster east with Linkerd, whose CA east-ca is registered. */
export class IdentityWorld extends TrustWorld {
  private revision = FIRST_REVISION

  constructor() {
    super()
    this.store.put({ ...clusterDocument(), mesh: { provider: 'linkerd' } })
    const spec = linkerdIdentitySpec.parse({
      purpose: 'linkerd-identity',
      cluster: 'east',
      root: { kind: 'vault-key' },
    })
    this.store.put(meshCaDocument({ spec }))
    this.namespace(NAMESPACE)
  }

  /** The vault holds these anchors and this issuer, and the state machine wants both on the cluster. */
  async want(anchors: string, issuer: TestIssuer, change: Partial<MeshCaDocument> = {}): Promise<void> {
    const caKey = await this.secrets.setSecret('east-ca-issuer-key', issuer.caKey, {})
    this.revision += 1
    this.ca({ current: setOf(anchors, issuer, caKey), revision: this.revision, ...change })
  }

  /** As `linkerd install` left it, and as the CA wants it. */
  async established(issuer: TestIssuer, form: 'tls' | 'linkerd' = 'tls'): Promise<void> {
    this.configMap(issuer.root.pem)
    this.secret(issuer, form)
    await this.want(issuer.root.pem, issuer)
    await this.look()
    this.later(60_000)
    this.cluster.forget()
  }

  /** Only these anchors are wanted: the mesh is being taken over. */
  wantAnchors(anchors: string): void {
    this.revision += 1
    this.ca({ anchors, revision: this.revision })
  }

  /** What `linkerd install | kubectl apply` leaves, or another hand. */
  configMap(pem: string, metadata: Partial<KubeObject['metadata']> = {}, manager = 'kubectl-client-side-apply'): void {
    const base = { name: CONFIG_MAP, namespace: NAMESPACE }
    const data = { 'ca-bundle.crt': pem }
    this.cluster.edit(manager, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...base, ...metadata }, data })
  }

  secret(issuer: TestIssuer, form: 'tls' | 'linkerd', metadata: Partial<KubeObject['metadata']> = {}): void {
    const base = { name: SECRET, namespace: NAMESPACE }
    const [crt, key] = form === 'tls' ? ['tls.crt', 'tls.key'] : ['crt.pem', 'key.pem']
    const data = { [crt]: base64(issuer.caCert), [key]: base64(issuer.caKey) }
    const type = form === 'tls' ? 'kubernetes.io/tls' : 'Opaque'
    const object = { apiVersion: 'v1', kind: 'Secret', type, metadata: { ...base, ...metadata }, data }
    this.cluster.edit('kubectl-client-side-apply', object)
  }

  freeze(scope: FreezeSpec['scope']): void {
    const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] } as const
    const spec: FreezeSpec = { reason: 'holiday', scope, covers: ['configuration'] }
    this.store.put({ ...base, kind: 'freeze', name: 'sale', spec })
  }

  /** A Pod whose proxy started with these anchors. */
  meshed(namespace: string, name: string, hash: string, agoMs = 1000): void {
    this.proxy(namespace, name, agoMs, {}, hash === '' ? {} : { 'linkerd.io/trust-root-sha256': hash })
  }

  controlPlane(component: string, agoMs: number): void {
    const labels = { 'linkerd.io/control-plane-component': component }
    this.proxy(NAMESPACE, `linkerd-${component}`, agoMs, labels, { 'linkerd.io/trust-root-sha256': 'helm' })
  }

  private proxy(
    namespace: string,
    name: string,
    agoMs: number,
    labels: Readonly<Record<string, string>>,
    annotations: Readonly<Record<string, string>>,
  ): void {
    const creationTimestamp = new Date(this.clock.now() - agoMs).toISOString().replace('.000', '')
    const all = { 'linkerd.io/control-plane-ns': NAMESPACE, ...labels }
    const metadata = { name, namespace, labels: all, annotations, creationTimestamp }
    this.cluster.edit('kubelet', { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Running' } })
  }

  event(reason: string, agoMs: number, name = reason, of = 'linkerd-identity'): void {
    const lastTimestamp = new Date(this.clock.now() - agoMs).toISOString().replace('.000', '')
    this.cluster.edit('linkerd-identity', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: NAMESPACE },
      involvedObject: { kind: 'Deployment', namespace: NAMESPACE, name: of },
      reason,
      message: `said ${name}`,
      lastTimestamp,
    })
  }

  /** What the two objects hold, as texts. */
  get live(): { readonly anchors?: string; readonly crt?: string; readonly key?: string; readonly ca?: string } {
    const data = (this.cluster.peek('Secret', SECRET)?.data ?? {}) as Readonly<Record<string, string>>
    const anchors = (this.cluster.peek('ConfigMap', CONFIG_MAP)?.data as Record<string, string> | undefined)?.[
      'ca-bundle.crt'
    ]
    const text = (value: string | undefined) =>
      value === undefined ? undefined : Buffer.from(value, 'base64').toString()
    const [crt, key, ca] = [data['tls.crt'] ?? data['crt.pem'], data['tls.key'] ?? data['key.pem'], data['ca.crt']].map(
      text,
    )
    return {
      ...(anchors === undefined ? {} : { anchors }),
      ...(crt && { crt }),
      ...(key && { key }),
      ...(ca && { ca }),
    }
  }

  /** Writes of the last pass, in their order. */
  writes(): readonly string[] {
    return this.cluster.forget().filter((request) => /^(apply|remove)/.test(request))
  }

  told(): readonly string[] {
    return this.trust.outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event.type] : []))
  }
}

function setOf(anchors: string, issuer: TestIssuer, caKey: string): CaSet {
  const [signer] = readRoots(issuer.caCert)
  if (!signer) throw new Error('an issuer can be read')
  const versions = { rootCert: 'v', caCert: 'v', certChain: 'v', caKey }
  const { caCert, certChain } = issuer
  return { rootCert: anchors, caCert, certChain, versions, roots: readRoots(anchors), signer }
}

export interface TestAuthorities {
  readonly a: TestRoot
  readonly b: TestRoot
  readonly issuerA: TestIssuer
  /** Another one below the same root. */
  readonly nextA: TestIssuer
  readonly issuerB: TestIssuer
  /** PEM of both roots. */
  readonly both: string
}

export async function testAuthorities(): Promise<TestAuthorities> {
  const now = Date.parse(AT)
  const [a, b] = [await testRoot('a', now), await testRoot('b', now)]
  const [issuerA, nextA, issuerB] = [await testIssuer(a, now), await testIssuer(a, now), await testIssuer(b, now)]
  return { a, b, issuerA, nextA, issuerB, both: a.pem + b.pem }
}

/** As Linkerd's injector writes it into a Pod. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
