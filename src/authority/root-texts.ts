import type { BundleProblem } from './bundle-problem.ts'
import { type CertificateFacts, hasSigned, readCertificate } from './certificate-facts.ts'
import { type BundleRules, caProblems } from './certificate-rules.ts'
import { problem, readCertificates } from './certificate-texts.ts'
import { linkerdAnchorProblems } from './linkerd-rules.ts'
import { readPem } from './pem.ts'
import { canReplace } from './trust.ts'

export interface RootTexts {
  readonly facts: readonly CertificateFacts[]
  /** Those among them that the mesh does not hold yet. */
  readonly added: readonly CertificateFacts[]
  readonly problems: readonly BundleProblem[]
}

/** What is wrong with a root that is to be trusted anew, by itself. */
export function checkRoot(pem: string, { purpose }: Pick<BundleRules, 'purpose'>): readonly BundleProblem[] {
  const { facts, problems } = readRoots(pem, '')
  return purpose === 'linkerd-identity' ? [...problems, ...facts.flatMap(linkerdAnchorProblems)] : problems
}

/**
 * The roots of a bundle and what is wrong with them. What `held`, the mesh's present root PEM, has in common with it is kept
 * byte by byte, or istiod would not take it: so text between its blocks, and roots that nobody would make today, pass.
 */
export function readRoots(text: string, held: string): RootTexts {
  const kept = held.includes(text) ? text : held !== '' && text.includes(held) ? held : ''
  // A line end in the place of what is kept holds apart what is around it.
  const added = readCertificates(
    'rootCert',
    text.replace(kept, () => '\n'),
    kept !== '',
  )
  const old = readPem(kept).blocks.flatMap(({ der }) => readCertificate(der) ?? [])
  const taken = held === '' ? undefined : canReplace(held, text)
  const problems = [...added.problems, ...added.facts.flatMap(rootProblems), ...twinProblems(added.facts, old)]
  if (taken && !taken.ok)
    problems.push(problem('RootsNotTaken', 'rootCert', `would not be taken by a running mesh. ${taken.message}`))
  return { facts: [...added.facts, ...old], added: added.facts, problems }
}

function rootProblems(facts: CertificateFacts): readonly BundleProblem[] {
  const problems = caProblems({ part: 'rootCert', facts })
  if (hasSigned(facts, facts)) return problems
  return [...problems, problem('RootNotSelfSigned', 'rootCert', `holds ${facts.subject}, which did not sign itself.`)]
}

/**
 * A root beside another of the same name: proxies find the one that signed by its key's identifier, or try one and fail.
 * `held` are those that are trusted already.
 */
function twinProblems(added: readonly CertificateFacts[], held: readonly CertificateFacts[]): readonly BundleProblem[] {
  return added.flatMap((root, index) => {
    const others = [...held, ...added.slice(0, index)].filter(({ x509 }) => x509.subject === root.x509.subject)
    if (others.every((other) => isToldApart(root, other))) return []
    const what = `holds ${root.subject} beside another root of that name, and their key identifiers do not tell them apart. Give the new root another name.`
    return [problem('RootAmbiguous', 'rootCert', what)]
  })
}

function isToldApart(one: CertificateFacts, other: CertificateFacts): boolean {
  if (one.publicKey.equals(other.publicKey)) return true
  return one.keyId !== undefined && other.keyId !== undefined && one.keyId !== other.keyId
}
