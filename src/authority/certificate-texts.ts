import type { BundlePart, BundleProblem, BundleProblemCode } from './bundle-problem.ts'
import { type CertificateFacts, readCertificate } from './certificate-facts.ts'
import { type PemText, readPem } from './pem.ts'

const MOST_CERTIFICATES = 20
/** The names of AKS, for people. */
export const PART_NAMES: Readonly<Record<BundlePart, string>> = {
  rootCert: 'root-cert',
  caCert: 'ca-cert',
  certChain: 'cert-chain',
  caKey: 'ca-key',
}

/** The certificates of a part, and what is wrong with its text. `maybeEmpty`: none is no fault. */
export function readCertificates(
  part: BundlePart,
  text: string,
  maybeEmpty = false,
): { readonly facts: readonly CertificateFacts[]; readonly problems: readonly BundleProblem[] } {
  const pem = readPem(text)
  const problems = textProblems(part, pem, maybeEmpty)
  const read = pem.blocks
    .filter(({ label }) => label === 'CERTIFICATE')
    .slice(0, MOST_CERTIFICATES)
    .map(({ der }) => readCertificate(der))
  const facts = read.filter((one) => one !== undefined)
  if (facts.length === read.length) return { facts, problems }
  return {
    facts,
    problems: [...problems, problem('CertificateUnreadable', part, 'holds a block that is no X.509 certificate.')],
  }
}

/** A problem of a part as a whole. */
export function problem(code: BundleProblemCode, part: BundlePart, what: string): BundleProblem {
  return { code, part, message: `${PART_NAMES[part]} ${what}` }
}

function textProblems(
  part: BundlePart,
  { blocks, hasOther, isBroken }: PemText,
  maybeEmpty: boolean,
): readonly BundleProblem[] {
  const found: BundleProblem[] = []
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE')
  if (isBroken)
    found.push(problem('PemBroken', part, 'is not whole PEM: a block is cut off, glued to the next or not base64.'))
  if (hasOther) found.push(problem('TextOutside', part, 'holds text outside its blocks. Leave it out.'))
  if (certificates.length < blocks.length) found.push(problem('WrongBlock', part, 'holds more than certificates.'))
  if (certificates.length === 0 && !maybeEmpty) found.push(problem('Empty', part, 'holds no certificate.'))
  if (certificates.length > MOST_CERTIFICATES)
    found.push(problem('TooMany', part, `holds more than ${MOST_CERTIFICATES} certificates.`))
  return found
}
