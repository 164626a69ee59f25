import { X509Certificate } from 'node:crypto'

/** A signer whose leaves are to be known. */
export interface KnownSigner {
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** PEM. */
  readonly caCert: string
}

/** Of a signer that is not among those that are known. */
export const OTHER_SIGNER = 'other'

/**
 * Serial of the signer of a leaf, by its signature: names and key ids anybody could write. Undefined: it is no certificate of a
 * workload in this namespace, but of whatever else listens there.
 */
export function signerOfLeaf(pem: string, namespace: string, signers: readonly KnownSigner[]): string | undefined {
  const leaf = read(pem)
  if (!leaf || !isOfNamespace(leaf, namespace)) return undefined
  const signer = signers.find(({ caCert }) => {
    const above = read(caCert)
    return above !== undefined && leaf.checkIssued(above) && leaf.verify(above.publicKey)
  })
  return signer?.serial ?? OTHER_SIGNER
}

/** `URI:spiffe://cluster.local/ns/shop/sa/web`, whatever the trust domain. */
function isOfNamespace({ subjectAltName = '' }: X509Certificate, namespace: string): boolean {
  return subjectAltName.split(', ').some((name) => {
    const [, found] = /^URI:spiffe:\/\/[^/]+\/ns\/([^/]+)\/sa\/[^/]+$/.exec(name) ?? []
    return found === namespace
  })
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
