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
  const problems = [...added.problems, ...added.facts.flatMap(rootProblems)]
  if (taken && !taken.ok)
    problems.push(problem('RootsNotTaken', 'rootCert', `would not be taken by a running mesh. ${taken.message}`))
  return { facts: [...added.facts, ...old], added: added.facts, problems }
}

function rootProblems(facts: CertificateFacts): readonly BundleProblem[] {
  const problems = caProblems({ part: 'rootCert', facts })
  if (hasSigned(facts, facts)) return problems
  return [...problems, problem('RootNotSelfSigned', 'rootCert', `holds ${facts.subject}, which did not sign itself.`)]
}
