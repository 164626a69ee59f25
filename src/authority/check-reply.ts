import type { BundleProblem } from './bundle-problem.ts'
import { hasSigned } from './certificate-facts.ts'
import type { BundleRules } from './certificate-rules.ts'
import { readCertificates } from './certificate-texts.ts'
import { chainProblems } from './chain-problems.ts'
import { linkerdIssuerProblems } from './linkerd-rules.ts'
import { publicBytes } from './public-key.ts'
import { readRequest } from './request.ts'

/**
 * Whether what another CA sent is the answer to a request of ours (both PEM): the first certificate has the request's key
 * and may sign leaves, each further one signed the one before, and the last is one of `roots` (PEM) or signed by one. Without
 * `roots` the chain must bring its own. Empty when it may be used.
 */
export function checkReply(
  request: string,
  chain: string,
  rules: BundleRules & { readonly roots?: string },
): readonly BundleProblem[] {
  const asked = readRequest(request)
  const { facts, problems } = readCertificates('certChain', chain)
  const roots =
    rules.roots === undefined
      ? facts.slice(-1).filter((last) => hasSigned(last, last))
      : readCertificates('rootCert', rules.roots).facts
  const [ca] = facts
  const found = [...problems]
  if (!asked) {
    const message = 'The request is no PKCS #10 in PEM that its own key signed with SHA-256 or better.'
    found.push({ code: 'RequestUnreadable', part: 'caCert', message })
  }
  if (!ca) return found
  if (asked && !publicBytes(asked.key).equals(publicBytes(ca.publicKey))) {
    const message = `The first certificate (${ca.subject}) has not the key of the request. Send the certificate that was made of this request first.`
    found.push({ code: 'KeyMismatch', part: 'caCert', message })
  }
  if (rules.purpose === 'linkerd-identity') found.push(...linkerdIssuerProblems(ca))
  return [...found, ...chainProblems(ca, facts, roots, rules)]
}
