import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  type Extension,
  type GeneralSubtrees,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_nameConstraints,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  NameConstraints,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509'

/** What the checks ask of a certificate. Times in epoch milliseconds. */
export interface CertificateFacts {
  /** Node's view: names, signatures, keys. */
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string
  /** On one line, for messages. */
  readonly subject: string
  readonly notBefore: number
  readonly notAfter: number
  /** The INTEGER as it is encoded. */
  readonly serial: Uint8Array
  readonly isCa: boolean
  readonly pathLength?: number
  readonly isConstraintCritical: boolean
  /** Key usage lets it sign certificates; false where the extension is missing. */
  readonly canSign: boolean
  readonly hasKeyUsage: boolean
  /** Identifiers of its own key and of the key above, hex; absent where the extension is missing. */
  readonly keyId?: string
  readonly issuerKeyId?: string
  /** Kinds of names of workloads that it limits: URIs (SPIFFE ids) and DNS names. */
  readonly limitedNames: readonly ('URI' | 'DNS')[]
  /** Object identifiers; absent where the extension is missing. */
  readonly extendedKeyUsage?: readonly string[]
  readonly criticalExtensions: readonly string[]
  /** Object identifier. */
  readonly signatureAlgorithm: string
}

/** The facts of a certificate; undefined for bytes that are none, or more than one, or whose key cannot be read. */
export function readCertificate(der: Uint8Array): CertificateFacts | undefined {
  try {
    const x509 = new X509Certificate(der)
    if (x509.raw.length !== der.length) return undefined
    const { tbsCertificate, signatureAlgorithm } = AsnConvert.parse(der, Certificate)
    return {
      x509,
      // Node reads it when it is asked for: a key that it cannot read shows here, and nowhere later.
      publicKey: x509.publicKey,
      fingerprint: createHash('sha256').update(der).digest('hex'),
      subject: subjectText(x509),
      notBefore: tbsCertificate.validity.notBefore.getTime().getTime(),
      notAfter: tbsCertificate.validity.notAfter.getTime().getTime(),
      serial: new Uint8Array(tbsCertificate.serialNumber),
      signatureAlgorithm: signatureAlgorithm.algorithm,
      ...extensionFacts(tbsCertificate.extensions ?? []),
      // Node gives undefined where the extension is missing, whatever its types say.
      ...((x509.keyUsage as readonly string[] | undefined) ? { extendedKeyUsage: x509.keyUsage } : {}),
    }
  } catch {
    return undefined
  }
}

/** Whether `above` signed `below`, by name, key identifiers and signature. */
export function hasSigned(above: CertificateFacts, below: CertificateFacts): boolean {
  try {
    return below.x509.checkIssued(above.x509) && below.x509.verify(above.publicKey)
  } catch {
    return false
  }
}

/** Subject and issuer are the same: no CA counts such a one towards path lengths. */
export function isSelfIssued({ x509 }: CertificateFacts): boolean {
  return x509.subject === x509.issuer
}

/** The subject on one line. Node gives undefined for a certificate without one. */
export function subjectText({ subject }: X509Certificate): string {
  return ((subject as string | undefined) ?? '(no subject)').split('\n').join(', ').slice(0, 200)
}

function extensionFacts(extensions: readonly Extension[]) {
  const of = (id: string) => extensions.find(({ extnID }) => extnID === id)
  const [basic, usage] = [of(id_ce_basicConstraints), of(id_ce_keyUsage)]
  const constraints = basic ? AsnConvert.parse(basic.extnValue, BasicConstraints) : undefined
  const flags = usage ? AsnConvert.parse(usage.extnValue, KeyUsage).toNumber() : 0
  const pathLength = constraints?.pathLenConstraint
  return {
    isCa: constraints?.cA ?? false,
    ...(pathLength === undefined ? {} : { pathLength }),
    isConstraintCritical: basic?.critical ?? false,
    canSign: (flags & KeyUsageFlags.keyCertSign) !== 0,
    hasKeyUsage: usage !== undefined,
    ...keyIds(of(id_ce_subjectKeyIdentifier), of(id_ce_authorityKeyIdentifier)),
    limitedNames: limitedNames(of(id_ce_nameConstraints)),
    criticalExtensions: extensions.filter(({ critical }) => critical).map(({ extnID }) => extnID),
  }
}

function keyIds(own: Extension | undefined, above: Extension | undefined) {
  const keyId = own && AsnConvert.parse(own.extnValue, SubjectKeyIdentifier).buffer
  const issuerKeyId = above && AsnConvert.parse(above.extnValue, AuthorityKeyIdentifier).keyIdentifier?.buffer
  return {
    ...(keyId ? { keyId: Buffer.from(keyId).toString('hex') } : {}),
    ...(issuerKeyId ? { issuerKeyId: Buffer.from(issuerKeyId).toString('hex') } : {}),
  }
}

function limitedNames(extension: Extension | undefined): readonly ('URI' | 'DNS')[] {
  if (!extension) return []
  const { permittedSubtrees, excludedSubtrees } = AsnConvert.parse(extension.extnValue, NameConstraints)
  const bases = [permittedSubtrees, excludedSubtrees].flatMap((trees: GeneralSubtrees | undefined) =>
    (trees ?? []).map(({ base }) => base),
  )
  const isSome = (kind: 'uniformResourceIdentifier' | 'dNSName') => bases.some((base) => base[kind] !== undefined)
  return [
    ...(isSome('uniformResourceIdentifier') ? (['URI'] as const) : []),
    ...(isSome('dNSName') ? (['DNS'] as const) : []),
  ]
}
