import { AsnConvert } from '@peculiar/asn1-schema'
import {
  Certificate,
  Extensions,
  id_ce_subjectKeyIdentifier,
  type Name,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'
import { type CertificateFacts, hasSigned, readCertificate } from './certificate-facts.ts'
import { caExtensions, dnsExtensions, keyIdentifier, keyIdentifiers } from './extensions.ts'
import { GOOD_KEYS, isGoodKey } from './key-rules.ts'
import { type CaName, nameOf } from './names.ts'
import { pemOf, readPem } from './pem.ts'
import { readRequest } from './request.ts'
import { algorithmOf, type Signer, signatureOf } from './signature.ts'

/** How long a certificate is good, and its number. */
export interface Terms {
  /** Epoch milliseconds; certificates know seconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** 16 bytes of chance. */
  readonly serial: Uint8Array
}

/**
 * Whose key an intermediate gets: a request (PEM) that its own key signed, or a name and a key (SubjectPublicKeyInfo, DER).
 * `dnsNames` become its alternative names, which Linkerd looks for.
 */
export type Subject =
  | { readonly request: string; readonly dnsNames?: readonly string[] }
  | { readonly name: CaName; readonly publicKey: Uint8Array; readonly dnsNames?: readonly string[] }

export type IssueRefusal =
  /** The request cannot be read, or its own key did not sign it. */
  | 'RequestUnreadable'
  /** The key is of a kind that istiod does not sign with, or too short. */
  | 'KeyAlgorithm'
  /** The issuer's certificate cannot be read, or is no CA that may have one below it. */
  | 'IssuerUnfit'
  /** It would be valid longer than its issuer, or never. */
  | 'Validity'
  /** What came back is no signature by the issuer's key. */
  | 'SignatureWrong'

/** A certificate (PEM), or why there is none. */
export type Issued =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: IssueRefusal; readonly message: string }

const SERIAL_BYTES = 16

/** A root that signs itself and may have one CA below it. `publicKey` (SubjectPublicKeyInfo, DER) is the signer's. Throws what `sign` throws. */
export async function issueRoot(name: CaName, publicKey: Uint8Array, terms: Terms, signer: Signer): Promise<Issued> {
  const key = AsnConvert.parse(publicKey, SubjectPublicKeyInfo)
  const subject = nameOf(name)
  const issuer = { name: subject, keyId: keyIdentifier(key) }
  return sign({ subject, key, issuer, pathLength: 1, terms }, signer)
}

/**
 * A CA below `issuerPem` that signs leaves and no further CA. Of a request only the name and the key are taken: what a CA may
 * is not for who asks to say. Throws what `sign` throws.
 */
export async function issueIntermediate(of: Subject, issuerPem: string, terms: Terms, signer: Signer): Promise<Issued> {
  const [block] = readPem(issuerPem).blocks
  const issuer = block && readCertificate(block.der)
  if (!block || !issuer?.isCa || !issuer.canSign || issuer.pathLength === 0)
    return refuse('IssuerUnfit', 'The certificate that is to sign is no CA that may have another below it.')
  if (terms.notAfter > issuer.notAfter)
    return refuse(
      'Validity',
      `It would outlast what signs it, which ends at ${new Date(issuer.notAfter).toISOString()}.`,
    )
  const asked = 'request' in of ? readRequest(of.request) : undefined
  if ('request' in of && !asked)
    return refuse(
      'RequestUnreadable',
      'The request is no PKCS #10 in PEM that its own key signed with SHA-256 or better.',
    )
  const { subject, key } = 'request' in of ? { subject: asked?.subject, key: asked?.publicKey } : partsOf(of)
  if (!subject || !key) return refuse('RequestUnreadable', 'The request names no subject.')
  const { tbsCertificate } = AsnConvert.parse(block.der, Certificate)
  const signs = { name: tbsCertificate.subject, keyId: ownKeyId(tbsCertificate) }
  const { dnsNames = [] } = of
  return sign({ subject, key, issuer: signs, pathLength: 0, terms, dnsNames }, signer, issuer)
}

interface Draft {
  readonly subject: Name
  readonly key: SubjectPublicKeyInfo
  readonly issuer: { readonly name: Name; readonly keyId: ArrayBuffer }
  readonly pathLength: number
  readonly terms: Terms
  readonly dnsNames?: readonly string[]
}

/** `issuer` is left out for what signs itself. The result is read and verified before it is given out. */
async function sign(draft: Draft, signer: Signer, issuer?: CertificateFacts): Promise<Issued> {
  const { terms } = draft
  if (terms.notAfter <= terms.notBefore) return refuse('Validity', 'It would end before it begins.')
  const algorithm = algorithmOf(signer)
  const tbs = draftCertificate(draft, signer)
  const signature = await signatureOf(signer, new Uint8Array(AsnConvert.serialize(tbs)))
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: algorithm,
    signatureValue: new Uint8Array(signature).buffer,
  })
  const der = new Uint8Array(AsnConvert.serialize(certificate))
  const made = readCertificate(der)
  if (!made || !isGoodKey(made.publicKey)) return refuse('KeyAlgorithm', `The key is not ${GOOD_KEYS}.`)
  if (!hasSigned(issuer ?? made, made))
    return refuse('SignatureWrong', 'What came back as signature is none by the key of the certificate that signs.')
  return { ok: true, value: pemOf('CERTIFICATE', der) }
}

function draftCertificate(
  { subject, key, issuer, pathLength, terms, dnsNames = [] }: Draft,
  signer: Signer,
): TBSCertificate {
  const { notBefore, notAfter, serial } = terms
  const identifiers = keyIdentifiers(keyIdentifier(key), issuer.keyId)
  return new TBSCertificate({
    version: Version.v3,
    serialNumber: positiveSerial(serial),
    signature: algorithmOf(signer),
    issuer: issuer.name,
    validity: new Validity({ notBefore: new Date(notBefore), notAfter: new Date(notAfter) }),
    subject,
    subjectPublicKeyInfo: key,
    extensions: new Extensions([...caExtensions(pathLength), ...identifiers, ...dnsExtensions(dnsNames)]),
  })
}

/** Sixteen bytes whose number is positive and needs all of them. Throws for another count. */
function positiveSerial(bytes: Uint8Array): ArrayBuffer {
  if (bytes.length !== SERIAL_BYTES) throw new Error(`a serial is made of ${SERIAL_BYTES} bytes`)
  const [first = 0, ...rest] = bytes
  return new Uint8Array([(first & 0x7f) | 0x40, ...rest]).buffer
}

function partsOf({ name, publicKey }: Extract<Subject, { name: CaName }>) {
  return { subject: nameOf(name), key: AsnConvert.parse(publicKey, SubjectPublicKeyInfo) }
}

/** What the issuer calls its key: another CA may name it otherwise than we would. */
function ownKeyId({ extensions, subjectPublicKeyInfo }: TBSCertificate): ArrayBuffer {
  const own = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier)
  return own ? AsnConvert.parse(own.extnValue, SubjectKeyIdentifier).buffer : keyIdentifier(subjectPublicKeyInfo)
}

function refuse(reason: IssueRefusal, message: string): Issued {
  return { ok: false, reason, message }
}
