import { X509Certificate } from 'node:crypto'

/** Blocks of one PEM text; a chain of a public CA has three or four. */
const MOST = 10
const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

/** What is wrong, for machines and for people. */
export interface Refusal {
  readonly reason: string
  readonly message: string
}

/** The certificates of a PEM text in its order, or why it cannot be read. Anything besides certificates is refused. */
export function readChain(pem: string): { ok: true; value: readonly X509Certificate[] } | { ok: false; why: string } {
  if (/PRIVATE KEY/.test(pem)) return { ok: false, why: 'holds a private key: send certificates only' }
  const blocks = pem.match(BLOCK) ?? []
  if (blocks.length === 0) return { ok: false, why: 'holds no certificate in PEM' }
  if (blocks.length > MOST) return { ok: false, why: `holds more than ${MOST} certificates` }
  if (pem.replaceAll(BLOCK, '').includes('-----BEGIN')) return { ok: false, why: 'holds more than certificates' }
  try {
    return { ok: true, value: blocks.map((block) => new X509Certificate(block)) }
  } catch {
    return { ok: false, why: 'holds a certificate that is not X.509' }
  }
}

/** Does each certificate follow from the next one, and is none but the leaf out of its time? Undefined when all is well. */
export function chainRefusal(chain: readonly X509Certificate[], now: number): Refusal | undefined {
  for (const [index, below] of chain.entries()) {
    const above = chain[index + 1]
    if (index > 0 && (Date.parse(below.validTo) <= now || Date.parse(below.validFrom) > now)) {
      return { reason: 'ChainEnded', message: `Certificate ${index + 1} of the chain is not valid now.` }
    }
    if (!above) continue
    if (!above.ca) {
      return { reason: 'ChainBroken', message: `Certificate ${index + 2} of the chain may not sign certificates.` }
    }
    if (!below.checkIssued(above) || !isSignedBy(below, above)) {
      const message = `Certificate ${index + 2} of the chain did not sign the one before it: send the leaf first, then each issuer.`
      return { reason: 'ChainBroken', message }
    }
  }
  return undefined
}

function isSignedBy(below: X509Certificate, above: X509Certificate): boolean {
  try {
    return below.verify(above.publicKey)
  } catch {
    return false
  }
}
