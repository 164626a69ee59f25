import type { BundlePart, BundleProblem, BundleProblemCode } from './bundle-problem.ts'
import type { CertificateFacts } from './certificate-facts.ts'

/** With RSA and with ECDSA, SHA-256 each. */
const [RSA_SHA256, ECDSA_SHA256] = ['1.2.840.113549.1.1.11', '1.2.840.10045.4.3.2']
const RSA_BITS = [2048, 4096]

/** What Linkerd finds fault with in its issuer (`pkg/issuercerts/issuercerts.go`), beyond what every CA must be. */
export function linkerdIssuerProblems(facts: CertificateFacts): readonly BundleProblem[] {
  const found = signatureProblems('caCert', facts, [ECDSA_SHA256, RSA_SHA256])
  return isP256(facts)
    ? found
    : [
        ...found,
        problem('KeyAlgorithm', 'caCert', facts, 'has a key that is not EC P-256: Linkerd takes no other issuer.'),
      ]
}

/** What Linkerd finds fault with in a trust anchor. */
export function linkerdAnchorProblems(facts: CertificateFacts): readonly BundleProblem[] {
  if (isP256(facts)) return signatureProblems('rootCert', facts, [ECDSA_SHA256, RSA_SHA256])
  const { asymmetricKeyType, asymmetricKeyDetails } = facts.publicKey
  if (asymmetricKeyType === 'rsa' && RSA_BITS.includes(asymmetricKeyDetails?.modulusLength ?? 0))
    return signatureProblems('rootCert', facts, [RSA_SHA256])
  const message = 'has a key that is neither EC P-256 nor RSA with 2,048 or 4,096 bits: Linkerd takes no other anchor.'
  return [problem('KeyAlgorithm', 'rootCert', facts, message)]
}

function isP256({ publicKey: { asymmetricKeyType, asymmetricKeyDetails } }: CertificateFacts): boolean {
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
}

function signatureProblems(
  part: BundlePart,
  facts: CertificateFacts,
  good: readonly string[],
): readonly BundleProblem[] {
  if (good.includes(facts.signatureAlgorithm)) return []
  const what = `is signed with ${facts.signatureAlgorithm}; Linkerd takes SHA-256 with ECDSA, or with RSA, and nothing else.`
  return [problem('SignatureAlgorithm', part, facts, what)]
}

function problem(
  code: BundleProblemCode,
  part: BundlePart,
  { subject }: CertificateFacts,
  what: string,
): BundleProblem {
  return { code, part, message: `${subject} ${what}` }
}
