/** The parts of what istiod signs with, by the names that AKS gives them. */
export type BundlePart = 'rootCert' | 'caCert' | 'certChain' | 'caKey'

/** Why a bundle or a chain must not be written. Codes are stable: add, never rename. */
export type BundleProblemCode =
  /** More than a Key Vault secret holds. */
  | 'TooLarge'
  | 'Empty'
  /** Something begins like a PEM block and is none. */
  | 'PemBroken'
  /** Text outside the blocks. */
  | 'TextOutside'
  /** A block that does not belong in this part. */
  | 'WrongBlock'
  | 'TooMany'
  /** A block that is no X.509 certificate, or has bytes after its end. */
  | 'CertificateUnreadable'
  /** The first block is no key that istiod takes. */
  | 'KeyNotFirst'
  /** The key's bytes are not what its label says, or it is encrypted. */
  | 'KeyUnreadable'
  /** Neither RSA of 2,048 bits and more, nor EC P-256 or P-384. */
  | 'KeyAlgorithm'
  /** The key belongs to another certificate, or the certificate to another request. */
  | 'KeyMismatch'
  /** SHA-1, MD5, or nothing that all proxies know. */
  | 'SignatureAlgorithm'
  | 'SerialNumber'
  /** No CA by its basic constraints. */
  | 'NotCa'
  | 'ConstraintsNotCritical'
  /** Its key usage does not let it sign certificates. */
  | 'CannotSign'
  /** It does not say what its key may be used for. */
  | 'KeyUsageMissing'
  /** It limits the names of workloads below it, SPIFFE ids or DNS names. */
  | 'NameConstraints'
  /** A CA above allows fewer below it. */
  | 'PathLength'
  /** Its extended key usage bars servers or clients. */
  | 'ExtendedKeyUsage'
  /** A critical extension that proxies do not know: they refuse the chain. */
  | 'CriticalExtension'
  | 'NotYetValid'
  | 'Expired'
  | 'EndsTooSoon'
  /** Valid longer than what signed it. */
  | 'OutlivesIssuer'
  | 'RootNotSelfSigned'
  /** Two roots have one name, and nothing tells their keys apart: proxies look the wrong one up. */
  | 'RootAmbiguous'
  /** A running istiod would not take these roots in place of those it has, and ignore the whole bundle. */
  | 'RootsNotTaken'
  /** The chain does not begin with the CA: workloads would show leaves that nobody can chain. */
  | 'ChainLacksCa'
  /** A certificate of the chain did not sign the one before it. */
  | 'ChainOrder'
  /** The chain ends at none of the roots. */
  | 'ChainUnrooted'
  /** The request to another CA cannot be read, or is not signed by its own key. */
  | 'RequestUnreadable'

/**
 * What we would not make, and Go's verifier (istiod, Linkerd) and BoringSSL (Envoy) pass over: no reason to find fault with a
 * CA that works.
 */
export const MATTERS_OF_FORM: readonly BundleProblemCode[] = [
  'TextOutside',
  'ConstraintsNotCritical',
  'KeyUsageMissing',
  'OutlivesIssuer',
]

/** One thing that is wrong. The message holds no part of a key. */
export interface BundleProblem {
  readonly code: BundleProblemCode
  readonly part: BundlePart
  /** A sentence for people: which certificate, what rule, what to do. */
  readonly message: string
}
