import { X509Certificate } from 'node:crypto'
import type { CaSet } from '../model/mesh-ca.ts'
import { certificatesOf } from './certificate-texts.ts'

/** Are the same roots trusted, and do both signers stand on the same one of them? Then each leaf of one is trusted where those of the other are. */
export function isSameTrust(one: CaSet, other: CaSet): boolean {
  const [held, next] = [one, other].map(({ roots }) => new Set(roots.map(({ fingerprint }) => fingerprint))) as [
    Set<string>,
    Set<string>,
  ]
  if (held.size !== next.size || [...held].some((root) => !next.has(root))) return false
  const above = topOf(one)
  return above !== undefined && above === topOf(other)
}

/** Fingerprint of the root that the signer stands on, over its chain; undefined: none can be told. */
function topOf({ rootCert, caCert, certChain }: CaSet): string | undefined {
  const chain = [caCert, ...certificatesOf(certChain)].map((pem) => new X509Certificate(pem))
  const roots = certificatesOf(rootCert).map((pem) => new X509Certificate(pem))
  for (const below of chain.toReversed()) {
    const root = roots.find((above) => above.raw.equals(below.raw) || hasSigned(above, below))
    if (root) return root.fingerprint256
  }
  return undefined
}

function hasSigned(above: X509Certificate, below: X509Certificate): boolean {
  return below.checkIssued(above) && below.verify(above.publicKey)
}
