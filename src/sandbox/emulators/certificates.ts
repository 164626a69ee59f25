import { createHash, X509Certificate } from 'node:crypto'

/** The certificates of a PEM text, in its order; none when one of them cannot be read. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return []
  }
}

/** `now` in epoch milliseconds. */
export function isValid({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now < Date.parse(validTo)
}

export function hasSigned(above: X509Certificate, below: X509Certificate): boolean {
  return below.checkIssued(above) && below.verify(above.publicKey)
}

/** SHA-256 of the DER, lower-case hex. */
export function fingerprintOf({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('hex')
}

/**
 * The root that a CA chains to, by way of `chain`; undefined when there is none. All on the way are CAs, and in force.
 */
export function rootOf(
  signer: X509Certificate,
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): X509Certificate | undefined {
  let below = signer
  for (let length = 0; length <= chain.length; length += 1) {
    if (!isValid(below, now) || !below.ca) return undefined
    const same = roots.find((one) => one.raw.equals(below.raw))
    if (same) return same
    const root = roots.find((one) => hasSigned(one, below) && isValid(one, now))
    if (root) return root
    const above = chain.find((one) => !one.raw.equals(below.raw) && hasSigned(one, below))
    if (!above) return undefined
    below = above
  }
  return undefined
}
