import { createHash, X509Certificate } from 'node:crypto'
import type { CaCertificate } from '../model/mesh-ca.ts'
import { readPem } from './pem.ts'

/** What a question about trust is answered with; a refusal has a stable reason. */
export type Trusted<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: TrustRefusal; readonly message: string }

export type TrustRefusal =
  /** The text holds no certificate, or one that cannot be read. */
  | 'RootsUnreadable'
  /** Neither set of roots holds the other: istiod keeps the old ones, and ignores the whole bundle. */
  | 'RootsUnrelated'
  /** The sets would do, but neither text holds the other byte by byte, which istiod before 1.30 wants. */
  | 'BytesUnrelated'

/**
 * The roots of a PEM text, in its order, each once. Text between blocks is passed over, as istiod and proxies do; blocks
 * that they would pass over without a word are refused.
 */
export function rootsOf(pem: string): Trusted<readonly CaCertificate[]> {
  const { blocks, isBroken } = readPem(pem)
  if (isBroken)
    return refuse(
      'RootsUnreadable',
      'The roots are not whole PEM: a block is cut off, glued to the next or not base64.',
    )
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE')
  if (certificates.length === 0) return refuse('RootsUnreadable', 'There is no certificate among the roots.')
  const roots = new Map<string, CaCertificate>()
  for (const { der } of certificates) {
    const root = rootOf(der)
    if (!root) return refuse('RootsUnreadable', 'The roots hold a block that is no X.509 certificate.')
    roots.set(root.fingerprint, root)
  }
  return { ok: true, value: [...roots.values()] }
}

/**
 * A text that trusts all that `old` and `added` trust, with both in it byte by byte: istiod takes it in place of `old`, and
 * later `added` in place of it, on every version. Unchanged where `old` has all of it, so twice is once.
 */
export function widen(old: string, added: string): Trusted<string> {
  for (const text of [old, added]) {
    const roots = rootsOf(text)
    if (!roots.ok) return roots
  }
  if (old.includes(added)) return { ok: true, value: old }
  if (added.includes(old)) return { ok: true, value: added }
  return { ok: true, value: `${old}${old.endsWith('\n') ? '' : '\n'}${added}` }
}

/**
 * Whether a running istiod takes the new roots in place of the old ones (`pilot/pkg/bootstrap/istio_ca.go`, handleEvent):
 * before 1.30 one text must hold the other, from 1.30 on one set of certificates the other. Both are wanted here, for a
 * mesh may run either. It must also run with ISTIO_MULTIROOT_MESH. A straight A → B is refused by all: A → A∥B → B.
 */
export function canReplace(oldPem: string, newPem: string): Trusted<true> {
  const [old, next] = [rootsOf(oldPem), rootsOf(newPem)]
  if (!old.ok) return old
  if (!next.ok) return next
  const [before, after] = [old, next].map(({ value }) => new Set(value.map(({ fingerprint }) => fingerprint))) as [
    Set<string>,
    Set<string>,
  ]
  if (!isPart(before, after) && !isPart(after, before)) {
    const message =
      'The new roots neither hold all of the old ones nor are some of them: go over a bundle that has both.'
    return refuse('RootsUnrelated', message)
  }
  if (newPem.includes(oldPem) || oldPem.includes(newPem)) return { ok: true, value: true }
  return refuse(
    'BytesUnrelated',
    'The new roots must hold the old text byte by byte, or be a part of it: istiod before 1.30 compares texts.',
  )
}

/**
 * The root that a signer's chain ends at (PEM texts): of those in `rootCert` the one that is in the chain, or signed its last
 * certificate; of several, the one that lasts longest. Undefined where none did.
 */
export function rootAbove(texts: { readonly rootCert: string; readonly certChain: string }): CaCertificate | undefined {
  const [roots, chain] = [rootsOf(texts.rootCert), readPem(texts.certChain).blocks]
  const last = chain.filter(({ label }) => label === 'CERTIFICATE').at(-1)
  if (!roots.ok || !last) return undefined
  const signed = readPem(texts.rootCert).blocks.flatMap(({ der }) =>
    isAbove(der, last.der) ? (rootOf(der) ?? []) : [],
  )
  return signed.toSorted((one, other) => (one.notAfter < other.notAfter ? 1 : -1))[0]
}

function isAbove(root: Uint8Array, der: Uint8Array): boolean {
  try {
    const [above, below] = [new X509Certificate(root), new X509Certificate(der)]
    return above.raw.equals(below.raw) || (below.checkIssued(above) && below.verify(above.publicKey))
  } catch {
    return false
  }
}

function rootOf(der: Uint8Array): CaCertificate | undefined {
  try {
    const certificate = new X509Certificate(der)
    if (certificate.raw.length !== der.length) return undefined
    return {
      fingerprint: createHash('sha256').update(der).digest('hex'),
      // Node gives undefined for a certificate without a subject, whatever its types say.
      subject: ((certificate.subject as string | undefined) ?? '').split('\n').join(', '),
      serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
      notBefore: new Date(certificate.validFrom).toISOString(),
      notAfter: new Date(certificate.validTo).toISOString(),
    }
  } catch {
    return undefined
  }
}

function isPart(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((one) => all.has(one))
}

function refuse(reason: TrustRefusal, message: string): { ok: false; reason: TrustRefusal; message: string } {
  return { ok: false, reason, message }
}
