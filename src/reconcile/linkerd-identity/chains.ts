import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g
const PRIVATE_KEY = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g
const KEY_LABELS = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY']

/** The certificates of a PEM text that can be read, in its order. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  return (pem.match(CERTIFICATE) ?? []).flatMap((block) => {
    try {
      return [new X509Certificate(block)]
    } catch {
      return []
    }
  })
}

/** A PEM text without whatever else than certificates it holds, where it holds a private key: those go nowhere. */
export function withoutKeys(pem: string): string {
  return pem.includes('PRIVATE KEY') ? (pem.match(CERTIFICATE) ?? []).map((block) => `${block}\n`).join('') : pem
}

/** SHA-256 of the DER, lower-case hex; empty where the text holds no certificate. Of the first one. */
export function fingerprintOf(pem: string): string {
  const [first] = certificatesIn(pem)
  return first ? hashOf(first) : ''
}

/** Fingerprints of all roots of a text. */
export function rootHashes(pem: string): ReadonlySet<string> {
  return new Set(certificatesIn(pem).map(hashOf))
}

/**
 * The anchor that an issuer stands on, by the chain that comes with it, as Go's verification finds it; undefined: none. Ends of
 * validity are not looked at.
 */
export function anchorOf(chainPem: string, anchorsPem: string): X509Certificate | undefined {
  const [issuer, ...chain] = certificatesIn(chainPem)
  const anchors = certificatesIn(anchorsPem)
  const seen = new Set<X509Certificate>()
  for (let last = issuer; last && !seen.has(last); ) {
    const below: X509Certificate = last
    seen.add(below)
    const anchor = anchors.find((one) => one.raw.equals(below.raw) || isBelow(below, one))
    if (anchor) return anchor
    last = chain.find((one) => isBelow(below, one))
  }
  return undefined
}

export function isSameCertificate(one: X509Certificate | undefined, other: X509Certificate | undefined): boolean {
  return one !== undefined && other !== undefined && one.raw.equals(other.raw)
}

/** The one private key of a PEM text, if it belongs to the first certificate of `chainPem`: as PEM, alone. Says no word of it. */
export function keyFor(keyPem: string, chainPem: string): string | undefined {
  const blocks = [...keyPem.matchAll(PRIVATE_KEY)]
  const [found] = blocks
  const [issuer] = certificatesIn(chainPem)
  if (!found || blocks.length > 1 || !issuer || !KEY_LABELS.includes(found[1] ?? '')) return undefined
  try {
    return issuer.checkPrivateKey(createPrivateKey(found[0])) ? `${found[0]}\n` : undefined
  } catch {
    // OpenSSL's own words could hold parts of its input.
    return undefined
  }
}

function isBelow(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function hashOf({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('hex')
}
