import type { BundlePart, BundleProblem } from './bundle-problem.ts'
import { readCaKey } from './ca-key.ts'
import type { BundleRules } from './certificate-rules.ts'
import { PART_NAMES, problem, readCertificates } from './certificate-texts.ts'
import { chainProblems } from './chain-problems.ts'
import { linkerdAnchorProblems, linkerdIssuerProblems } from './linkerd-rules.ts'
import { publicBytes } from './public-key.ts'
import { readRoots } from './root-texts.ts'

/**
 * What istiod signs with: four PEM texts, on AKS four secrets of a vault (`root-cert`, `ca-cert`, `cert-chain`, `ca-key`).
 * Bytes matter: istiod before 1.30 compares roots as texts.
 */
export interface CaBundle {
  /** One root or several. */
  readonly rootCert: string
  /** The CA that signs leaves: one certificate. */
  readonly caCert: string
  /** What workloads send with their leaf: `caCert`, then each issuer; its root may stand at the end. */
  readonly certChain: string
  /** The private key of `caCert`. A secret: never stored anywhere but in a vault, never logged or shown. */
  readonly caKey: string
}

/** The longest value of a Key Vault secret, in bytes. */
const MOST_BYTES = 25_600

/**
 * Everything that the mesh checks when it takes a bundle (istiod in `pilot/pkg/bootstrap/istio_ca.go`), and what would only show
 * later, on the first handshakes: empty when the bundle may be written. Texts that cannot be read hide what depends on them.
 */
export function checkBundle(bundle: CaBundle, rules: BundleRules): readonly BundleProblem[] {
  const roots = readRoots(bundle.rootCert, rules.heldRoots ?? '')
  const ca = readCertificates('caCert', bundle.caCert)
  const chain = readCertificates('certChain', bundle.certChain)
  const key = readCaKey(bundle.caKey)
  const [signer] = ca.facts
  const problems = [...sizeProblems(bundle), ...roots.problems, ...ca.problems, ...chain.problems]
  if ('problem' in key) problems.push(key.problem)
  if (ca.facts.length > 1)
    problems.push(problem('TooMany', 'caCert', 'must hold one certificate; its issuers belong in cert-chain.'))
  if (!signer) return problems
  if ('key' in key && !publicBytes(key.key).equals(publicBytes(signer.publicKey)))
    problems.push(problem('KeyMismatch', 'caKey', 'holds a key that does not belong to ca-cert.'))
  if (rules.purpose === 'linkerd-identity')
    problems.push(...linkerdIssuerProblems(signer), ...roots.added.flatMap(linkerdAnchorProblems))
  return [...problems, ...chainProblems(signer, chain.facts, roots.facts, rules)]
}

function sizeProblems(bundle: CaBundle): readonly BundleProblem[] {
  return (Object.keys(PART_NAMES) as BundlePart[])
    .filter((part) => Buffer.byteLength(bundle[part]) > MOST_BYTES)
    .map((part) =>
      problem(
        'TooLarge',
        part,
        `has more than ${MOST_BYTES.toLocaleString('en')} bytes, which no Key Vault secret holds.`,
      ),
    )
}
