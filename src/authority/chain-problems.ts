import type { BundleProblem } from './bundle-problem.ts'
import { type CertificateFacts, hasSigned } from './certificate-facts.ts'
import { type BundleRules, caProblems, type Placed, pathProblems } from './certificate-rules.ts'
import { problem } from './certificate-texts.ts'

/** What is wrong with the way from the CA over the rest of its chain to a root. */
export function chainProblems(
  ca: CertificateFacts,
  chain: readonly CertificateFacts[],
  roots: readonly CertificateFacts[],
  rules: BundleRules,
): readonly BundleProblem[] {
  const [first, ...issuers] = chain
  const lacks = first !== undefined && first.fingerprint !== ca.fingerprint
  const problems = lacks
    ? [
        problem(
          'ChainLacksCa',
          'certChain',
          'must begin with ca-cert, then each issuer: workloads send it with their leaf.',
        ),
      ]
    : []
  const above = (lacks ? chain : issuers).map((facts): Placed => ({ part: 'certChain', facts }))
  const placed: readonly Placed[] = [{ part: 'caCert', facts: ca }, ...above]
  const unordered = placed.findIndex(
    ({ facts }, index) => index > 0 && !hasSigned(facts, (placed[index - 1] as Placed).facts),
  )
  if (unordered > 0) {
    const { subject } = (placed[unordered] as Placed).facts
    problems.push(
      problem('ChainOrder', 'certChain', `is out of order: ${subject} did not sign the certificate before it.`),
    )
    return [...problems, ...placed.flatMap(caProblems)]
  }
  const root = rootOf((placed.at(-1) as Placed).facts, roots)
  const top = root === undefined || placed.some(({ facts }) => facts.fingerprint === root.fingerprint) ? [] : [root]
  if (root === undefined)
    problems.push(problem('ChainUnrooted', 'certChain', 'ends at none of the roots of root-cert.'))
  problems.push(...unnamedIssuer((placed.at(-1) as Placed).facts, root, roots))
  const path = [...placed, ...top.map((facts): Placed => ({ part: 'rootCert', facts }))]
  return [...problems, ...placed.flatMap(caProblems), ...pathProblems(path, rules)]
}

/** Of two roots with one name, the chain has to say by which key it was signed. */
function unnamedIssuer(
  last: CertificateFacts,
  root: CertificateFacts | undefined,
  roots: readonly CertificateFacts[],
): readonly BundleProblem[] {
  if (!root || last.fingerprint === root.fingerprint || last.issuerKeyId !== undefined) return []
  const isTwin = (other: CertificateFacts) =>
    other.x509.subject === root.x509.subject && !other.publicKey.equals(root.publicKey)
  if (!roots.some(isTwin)) return []
  const what = `ends with ${last.subject}, which does not say by which key it was signed, and root-cert holds two roots of that name.`
  return [problem('RootAmbiguous', 'certChain', what)]
}

/** The root that is this certificate or signed it; of several with that key, the one that lasts longest. */
function rootOf(last: CertificateFacts, roots: readonly CertificateFacts[]): CertificateFacts | undefined {
  const same = roots.find(({ fingerprint }) => fingerprint === last.fingerprint)
  const signers = roots.filter((root) => hasSigned(root, last)).sort((a, b) => b.notAfter - a.notAfter)
  return same ?? signers[0]
}
