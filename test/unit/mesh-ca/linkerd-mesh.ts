import { createHash, X509Certificate } from 'node:crypto'
import { rootsOf } from '../../../src/authority/trust.ts'
import { textHash } from '../../../src/mesh/linkerd/identity.ts'
import { certificatesOf } from '../../../src/mesh-ca/certificate-texts.ts'
import type { MeshCaDocument, TrustDocument } from '../../../src/model/documents.ts'
import { linkerdIntent } from '../../../src/model/linkerd-intent.ts'

interface Issuer {
  readonly pem: string
  readonly fingerprint: string
  /** Fingerprint of the anchor above it. */
  readonly root: string
  readonly notAfter: string
}

interface Pod {
  started: number
  /** The text of the anchors that it started with. */
  anchors: string
  leafRoot: string
  leafUntil: number
}

/**
 * Linkerd and its Pods as far as trust goes: anchors are read by who starts, and never again; the injector gives Pods what it
 * has mounted, which may be behind; identity takes an issuer while it runs, if it stands on the anchors that it started with.
 * And reconcile, which brings what the document wants.
 */
export class LinkerdMesh {
  /** The ConfigMap and the Secret. */
  anchors = ''
  issuer: Issuer | undefined
  failures = { now: 0, before: 0 }
  /** Do events and metrics tell of issuers? */
  tells = true
  isStuck = false
  /** How long its Deployment lets certificates of workloads live, as reconcile reads it. */
  issuanceLifetimeMs: number | undefined
  /** Reconcile does not come through. */
  isCut = false
  readonly pods: Pod[] = []
  readonly controlPlane: Pod[] = []
  private readonly ttlMs: number
  private signs: Issuer | undefined
  private trusted = ''
  private injected = ''
  private event: TrustDocument['issuerEvent']
  private delivered: TrustDocument['delivered']

  constructor(ttlMs: number) {
    this.ttlMs = ttlMs
  }

  /** Made by `linkerd install`. */
  install(anchors: string, issuer: string, now: number): void {
    this.anchors = anchors
    this.issuer = issuerOf(issuer, anchors)
    this.controlPlane.push({ started: now, anchors, leafRoot: '', leafUntil: 0 })
    this.restartControlPlane(now)
  }

  deliver(document: MeshCaDocument, now: number): void {
    const intent = linkerdIntent(document)
    if (!intent || this.isCut) return
    const issuer = intent.issuer ? issuerOf(intent.issuer.certChain, intent.anchors) : this.issuer
    const [before, time] = [this.delivered, new Date(now).toISOString()]
    const hasAnchors = intent.anchors === this.anchors
    const isKnown = hasAnchors && issuer?.fingerprint === this.issuer?.fingerprint
    this.anchors = intent.anchors
    this.issuer = issuer
    this.delivered = {
      revision: intent.revision,
      anchors: textHash(this.anchors),
      issuer: issuer?.fingerprint ?? '',
      // Anew with each revision, as reconcile does, which writes its marks.
      at: isKnown && before?.revision === intent.revision ? before.at : time,
      anchorsAt: hasAnchors && before ? (before.anchorsAt ?? before.at) : time,
    }
  }

  /** Identity takes the Secret, or keeps what it has; the injector's mount follows. */
  poll(now: number): void {
    if (this.isStuck) return
    this.injected = this.anchors
    if (!this.issuer || this.issuer.fingerprint === this.signs?.fingerprint) return
    const isGood = fingerprints(this.trusted).includes(this.issuer.root)
    const reason = isGood ? 'IssuerUpdated' : 'IssuerUpdateSkipped'
    if (isGood) this.signs = this.issuer
    if (this.tells && (isGood || this.event?.reason !== reason))
      this.event = { reason, at: `${new Date(now).toISOString().slice(0, 19)}Z`, message: 'as identity says' }
  }

  restartControlPlane(now: number): void {
    if (this.controlPlane.length === 0) return
    this.injected = this.anchors
    // A start with an issuer that the anchors do not hold fails, and the Pod before it goes on.
    if (this.issuer && !fingerprints(this.anchors).includes(this.issuer.root)) return
    this.trusted = this.anchors
    this.signs = this.issuer
    for (const pod of this.controlPlane)
      Object.assign(pod, this.leaf(pod, now), { started: now, anchors: this.anchors })
  }

  start(now: number, aged = 0): void {
    const pod = this.leaf({ started: now, anchors: this.injected, leafRoot: '', leafUntil: 0 }, now)
    this.pods.push({ ...pod, leafUntil: pod.leafUntil - aged })
  }

  restartAll(now: number): void {
    for (const pod of this.pods) Object.assign(pod, this.leaf(pod, now), { started: now, anchors: this.injected })
  }

  /** One that runs longest. */
  restartOne(now: number): void {
    const [pod] = this.pods.toSorted((one, other) => one.started - other.started)
    if (pod) Object.assign(pod, this.leaf(pod, now), { started: now, anchors: this.injected })
  }

  renew(now: number): void {
    for (const pod of [...this.pods, ...this.controlPlane])
      if (pod.leafUntil - now <= (this.issuanceLifetimeMs ?? this.ttlMs) / 2) Object.assign(pod, this.leaf(pod, now))
  }

  private leaf(pod: Pod, now: number): Pod {
    return this.signs
      ? { ...pod, leafRoot: this.signs.root, leafUntil: now + (this.issuanceLifetimeMs ?? this.ttlMs) }
      : pod
  }

  /** Pairs of Pods that could not connect: one lacks the anchor of a leaf that is good otherwise. */
  broken(now: number): number {
    const live = [...this.pods, ...this.controlPlane].filter((pod) => pod.leafUntil > now)
    return live.reduce((sum, client) => {
      const trusts = fingerprints(client.anchors)
      return sum + live.filter((server) => !trusts.includes(server.leafRoot)).length
    }, 0)
  }

  inUse(now: number): readonly string[] {
    const live = [...this.pods, ...this.controlPlane].filter((pod) => pod.leafUntil > now)
    return [...new Set(live.map(({ leafRoot }) => leafRoot))]
  }

  look(now: number): TrustDocument {
    const at = new Date(now).toISOString()
    const anchors: Record<string, number> = {}
    for (const pod of this.pods) anchors[textHash(pod.anchors)] = (anchors[textHash(pod.anchors)] ?? 0) + 1
    const { issuer, signs, event, delivered } = this
    return {
      ...{ schema: 1, kind: 'trust', outbox: [], createdAt: at, updatedAt: at, ca: 'east-ca', cluster: 'east' },
      ...{ state: 'seen', reason: 'Seen', message: 'Seen.', lookedAt: at, without: [], attempts: 0 },
      bundles: this.anchors ? [{ roots: fingerprints(this.anchors), namespaces: 1, examples: ['linkerd'] }] : [],
      pods: summaryOf(this.pods),
      controlPlane: summaryOf(this.controlPlane),
      anchors,
      failures: this.failures,
      ...(this.anchors === '' ? {} : { found: { anchors: this.anchors, ...(issuer ? { issuer: issuer.pem } : {}) } }),
      ...(event ? { issuerEvent: event } : {}),
      ...(delivered ? { delivered } : {}),
      ...(this.issuanceLifetimeMs === undefined ? {} : { issuanceLifetimeMs: this.issuanceLifetimeMs }),
      ...(this.tells && signs ? { istiod: { chainNotAfter: signs.notAfter } } : {}),
    }
  }
}

function summaryOf(pods: readonly Pod[]): TrustDocument['pods'] {
  const oldest = Math.min(...pods.map(({ started }) => started))
  return { count: pods.length, ...(pods.length > 0 ? { oldestStart: new Date(oldest).toISOString() } : {}) }
}

const issuers = new Map<string, Issuer>()

function issuerOf(chain: string, anchors: string): Issuer {
  const before = issuers.get(`${chain}${anchors}`)
  if (before) return before
  const read = readIssuer(chain, anchors)
  issuers.set(`${chain}${anchors}`, read)
  return read
}

function readIssuer(chain: string, anchors: string): Issuer {
  const [pem = ''] = certificatesOf(chain)
  const certificate = new X509Certificate(pem)
  const above = certificatesOf(anchors).find((one) => certificate.checkIssued(new X509Certificate(one)))
  return {
    pem: chain,
    fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
    root: above === undefined ? '' : (fingerprints(above)[0] ?? ''),
    notAfter: new Date(certificate.validTo).toISOString(),
  }
}

const known = new Map<string, readonly string[]>()

function fingerprints(pem: string): readonly string[] {
  const before = known.get(pem)
  if (before) return before
  const roots = rootsOf(pem)
  const found = roots.ok ? roots.value.map(({ fingerprint }) => fingerprint) : []
  known.set(pem, found)
  return found
}
