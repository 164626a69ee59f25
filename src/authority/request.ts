import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { Attributes, CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Attribute, Extensions, type Name, SubjectPublicKeyInfo } from '@peculiar/asn1-x509'
import { caExtensions, dnsExtensions } from './extensions.ts'
import { type CaName, nameOf } from './names.ts'
import { pemOf, readPem } from './pem.ts'
import { algorithmOf, nameFor, type Signer, signatureOf } from './signature.ts'

const LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST']
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/** What a CA takes from a request: never its extensions. */
export interface RequestFacts {
  readonly subject: Name
  readonly publicKey: SubjectPublicKeyInfo
  readonly key: KeyObject
}

/**
 * A PKCS #10 request (PEM) for an intermediate, to be signed by another CA. It asks for what a CA needs: CA:TRUE, no CA
 * below, signing of certificates and CRLs. `publicKey` is SubjectPublicKeyInfo, DER; `signer` signs with its private half.
 * `dnsNames` are asked for as alternative names.
 */
export async function requestIntermediate(
  name: CaName,
  publicKey: Uint8Array,
  signer: Signer,
  dnsNames: readonly string[] = [],
): Promise<string> {
  const wanted = new Extensions([...caExtensions(0), ...dnsExtensions(dnsNames)])
  const asked = new Attribute({ type: EXTENSION_REQUEST, values: [AsnConvert.serialize(wanted)] })
  const info = new CertificationRequestInfo({
    subject: nameOf(name),
    subjectPKInfo: AsnConvert.parse(publicKey, SubjectPublicKeyInfo),
    attributes: new Attributes([asked]),
  })
  const signature = await signatureOf(signer, new Uint8Array(AsnConvert.serialize(info)))
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: algorithmOf(signer),
    signature: new Uint8Array(signature).buffer,
  })
  return pemOf('CERTIFICATE REQUEST', new Uint8Array(AsnConvert.serialize(request)))
}

/** The facts of a request (PEM); undefined where it cannot be read, or its own key did not sign it. */
export function readRequest(pem: string): RequestFacts | undefined {
  try {
    const { blocks } = readPem(pem)
    const [block] = blocks
    if (!block || blocks.length > 1 || !LABELS.includes(block.label)) return undefined
    const request = AsnConvert.parse(block.der, CertificationRequest)
    const { subject, subjectPKInfo } = request.certificationRequestInfo
    const spki = Buffer.from(AsnConvert.serialize(subjectPKInfo))
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    if (!isSigned(request, key)) return undefined
    return { subject, publicKey: subjectPKInfo, key }
  } catch {
    return undefined
  }
}

/** By RSA or ECDSA with SHA-2, which is all that a request for a CA need have. */
function isSigned(request: CertificationRequest, key: KeyObject): boolean {
  const { certificationRequestInfoRaw, signatureAlgorithm, signature } = request
  const hash = HASHES[signatureAlgorithm.algorithm]
  if (!certificationRequestInfoRaw || hash === undefined || nameFor(key) === undefined) return false
  return verify(hash, Buffer.from(certificationRequestInfoRaw), key, Buffer.from(signature))
}

const HASHES: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
}
