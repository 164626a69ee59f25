import type { BundlePart, BundleProblem, BundleProblemCode } from './bundle-problem.ts'
import { type CertificateFacts, isSelfIssued } from './certificate-facts.ts'
import { GOOD_KEYS, isGoodKey } from './key-rules.ts'

/** When a bundle is good. */
export interface BundleRules {
  /** The mesh that is to take it: Istio when left out. Linkerd takes fewer keys and signatures. */
  readonly purpose?: 'mesh-ca' | 'linkerd-identity'
  /** Epoch milliseconds. */
  readonly now: number
  /** How long the CA must be valid from now on, in milliseconds; 0 when left out. Leaves are signed to the end of their lifetime. */
  readonly minimumLifetimeMs?: number
  /**
   * The root PEM that the mesh holds now: then a running mesh must be able to take the new one in its place, and what both have in
   * common is not found fault with.
   */
  readonly heldRoots?: string
}

/** A certificate and where it stands. */
export interface Placed {
  readonly part: BundlePart
  readonly facts: CertificateFacts
}

/** With RSA and ECDSA, SHA-256, 384 and 512. */
const SIGNATURES = [
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
]
/** Key usage, alternative names, basic constraints, name constraints, extended key usage: what Go and BoringSSL both handle. */
const KNOWN_EXTENSIONS = ['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.30', '2.5.29.37']
const [ANY_USE, SERVER, CLIENT] = ['2.5.29.37.0', '1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const LONGEST_SERIAL = 20

/** What is wrong with a certificate as a CA, whatever stands above or below it. */
export function caProblems({ part, facts }: Placed): readonly BundleProblem[] {
  const { subject, isCa, isConstraintCritical, canSign, extendedKeyUsage, criticalExtensions } = facts
  const found: BundleProblem[] = []
  const add = (code: BundleProblemCode, what: string) => found.push({ code, part, message: `${subject} ${what}` })
  if (!isCa) add('NotCa', 'is no CA: its basic constraints do not say CA:TRUE.')
  else if (!isConstraintCritical) add('ConstraintsNotCritical', 'has basic constraints that are not critical.')
  if (isCa && !canSign) add('CannotSign', 'may not sign certificates: its key usage lacks keyCertSign.')
  if (!SIGNATURES.includes(facts.signatureAlgorithm))
    add('SignatureAlgorithm', `is signed with ${facts.signatureAlgorithm}; use SHA-256 or better with RSA or ECDSA.`)
  if (!isGoodKey(facts.publicKey)) add('KeyAlgorithm', `has a key that is not ${GOOD_KEYS}.`)
  if (!isGoodSerial(facts.serial))
    add('SerialNumber', 'has a serial number that is not positive, or longer than 20 bytes.')
  if (extendedKeyUsage && !servesBoth(extendedKeyUsage))
    add('ExtendedKeyUsage', 'has an extended key usage without serverAuth and clientAuth, which bars leaves below it.')
  const unknown = criticalExtensions.filter((id) => !KNOWN_EXTENSIONS.includes(id))
  if (unknown.length > 0)
    add('CriticalExtension', `has critical extensions that proxies do not know: ${unknown.join(', ')}.`)
  return found
}

/** What is wrong with a path: the CA that signs leaves first, each issuer after it, a root at its end. */
export function pathProblems(
  path: readonly Placed[],
  { now, minimumLifetimeMs = 0 }: BundleRules,
): readonly BundleProblem[] {
  const found: BundleProblem[] = []
  let below = 0
  for (const [index, { part, facts }] of path.entries()) {
    const { subject, notBefore, notAfter, pathLength } = facts
    const add = (code: BundleProblemCode, what: string) => found.push({ code, part, message: `${subject} ${what}` })
    if (notBefore > now) add('NotYetValid', `is valid only from ${time(notBefore)}.`)
    if (notAfter <= now) add('Expired', `has expired at ${time(notAfter)}.`)
    else if (index === 0 && notAfter < now + minimumLifetimeMs)
      add('EndsTooSoon', `ends at ${time(notAfter)}; it must last until ${time(now + minimumLifetimeMs)} at least.`)
    const above = path[index + 1]?.facts
    if (above && notAfter > above.notAfter)
      add('OutlivesIssuer', `ends at ${time(notAfter)}, after what signed it (${time(above.notAfter)}).`)
    if (pathLength !== undefined && below > pathLength)
      add('PathLength', `allows ${pathLength} CAs below it; the chain has ${below}.`)
    if (!isSelfIssued(facts)) below += 1
  }
  return found
}

function isGoodSerial(serial: Uint8Array): boolean {
  const isNegative = ((serial[0] ?? 0x80) & 0x80) !== 0
  return !isNegative && serial.some((byte) => byte !== 0) && serial.length <= LONGEST_SERIAL
}

function servesBoth(usages: readonly string[]): boolean {
  return usages.includes(ANY_USE) || (usages.includes(SERVER) && usages.includes(CLIENT))
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}
