import { X509Certificate } from 'node:crypto'
import { checkBundle } from '../../../src/authority/ca-bundle.ts'
import { canReplace, rootsOf } from '../../../src/authority/trust.ts'
import { certificatesOf } from '../../../src/mesh-ca/certificate-texts.ts'
import type { TrustDocument } from '../../../src/model/documents.ts'
import type { OtherProxies } from '../../../src/model/trust.ts'

interface Held {
  readonly rootCert: string
  readonly roots: readonly string[]
  /** Fingerprint of the root above the signer. */
  readonly signerRoot: string
  readonly notAfter: string
}

/** The four secrets as the CSI driver last saw them. */
export interface MountedVault {
  peek(name: string): { readonly version: string; readonly value: string } | undefined
}

interface Pod {
  started: number
  /** Root of the leaf that it shows. */
  leafRoot: string
  leafUntil: number
  trusts: readonly string[]
}

/**
 * istiod and its Pods as far as trust goes: istiod takes what the vault holds when it polls, by the rules of facts azure §2.3;
 * a Pod gets leaf and roots from istiod's memory when it starts and when it renews, at half of the TTL at the latest.
 */
export class Mesh {
  held: Held | undefined
  refusals = 0
  failures = { now: 0, before: 0 }
  /** Do metrics tell which certificate istiod signs with? */
  tells = true
  /** Who else holds certificates of the mesh? */
  others: OtherProxies = 'none'
  readonly pods: Pod[] = []
  private readonly vault: MountedVault
  private readonly ttlMs: number

  constructor(vault: MountedVault, ttlMs: number) {
    this.vault = vault
    this.ttlMs = ttlMs
  }

  private polled = ''

  /** The CSI driver mounts, istiod takes it or keeps what it has. */
  poll(now: number): void {
    const versions = ['root-cert', 'ca-cert', 'cert-chain', 'ca-key']
      .map((name) => this.vault.peek(name)?.version)
      .join()
    if (versions === this.polled) return
    this.polled = versions
    const [rootCert, caCert, certChain, caKey] = ['root-cert', 'ca-cert', 'cert-chain', 'ca-key'].map(
      (name) => this.vault.peek(name)?.value,
    )
    if (!rootCert || !caCert || !certChain || !caKey) return
    const isRelated = this.held === undefined || canReplace(this.held.rootCert, rootCert).ok
    const problems = checkBundle({ rootCert, caCert, certChain, caKey }, { now, heldRoots: rootCert })
    if (!isRelated || problems.length > 0) {
      this.refusals += 1
      return
    }
    const signer = new X509Certificate(caCert)
    const above = certificatesOf(rootCert).find((pem) => {
      const root = new X509Certificate(pem)
      return signer.checkIssued(root) && signer.verify(root.publicKey)
    })
    this.held = {
      rootCert,
      roots: fingerprints(rootCert),
      signerRoot: above === undefined ? '' : (fingerprints(above)[0] ?? ''),
      notAfter: new Date(signer.validTo).toISOString(),
    }
  }

  /** `aged`: how much of its time the leaf has behind it, in milliseconds. */
  start(now: number, aged = 0): void {
    const pod = this.renewed({ started: now } as Pod, now)
    this.pods.push({ ...pod, leafUntil: pod.leafUntil - aged })
  }

  restartAll(now: number): void {
    for (const pod of this.pods) Object.assign(pod, this.renewed(pod, now), { started: now })
  }

  /** Renews those that are due, or all. */
  renew(now: number, all = false): void {
    for (const pod of this.pods) {
      if (all || pod.leafUntil - now <= this.ttlMs / 2) Object.assign(pod, this.renewed(pod, now))
    }
  }

  private renewed(pod: Pod, now: number): Pod {
    if (!this.held) return pod
    return { ...pod, leafRoot: this.held.signerRoot, leafUntil: now + this.ttlMs, trusts: this.held.roots }
  }

  /** Pairs of Pods that could not connect: the client lacks the root of a leaf that is good otherwise. */
  broken(now: number): number {
    const live = this.pods.filter((pod) => pod.leafUntil > now)
    return live.reduce(
      (sum, client) => sum + live.filter((server) => !client.trusts.includes(server.leafRoot)).length,
      0,
    )
  }

  /** Roots of leaves that are still good. */
  inUse(now: number): readonly string[] {
    return [...new Set(this.pods.filter((pod) => pod.leafUntil > now).map(({ leafRoot }) => leafRoot))]
  }

  /** What reconcile would see. */
  look(now: number): TrustDocument {
    const at = new Date(now).toISOString()
    const oldest = Math.min(...this.pods.map(({ started }) => started))
    return {
      schema: 1,
      kind: 'trust',
      outbox: [],
      createdAt: at,
      updatedAt: at,
      ca: 'east-ca',
      cluster: 'east',
      state: 'seen',
      reason: 'Seen',
      message: 'Seen.',
      lookedAt: at,
      bundles: this.held ? [{ roots: this.held.roots, namespaces: 3, examples: ['a', 'b', 'c'] }] : [],
      without: [],
      pods: {
        count: this.pods.length,
        others: this.others,
        ...(this.pods.length > 0 ? { oldestStart: new Date(oldest).toISOString() } : {}),
      },
      ...(this.tells && this.held ? { istiod: { chainNotAfter: this.held.notAfter } } : {}),
      failures: this.failures,
      attempts: 0,
    }
  }
}

function fingerprints(pem: string): readonly string[] {
  const roots = rootsOf(pem)
  return roots.ok ? roots.value.map(({ fingerprint }) => fingerprint) : []
}
