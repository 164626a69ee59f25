import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { algorithm, type StoredKey, signingPair } from './keys.ts'

/** Alternative names of a subject, as Key Vault's policies group them. */
export interface AlternativeNames {
  readonly dnsNames?: readonly string[]
  readonly emails?: readonly string[]
  readonly upns?: readonly string[]
  readonly uris?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

/** What a certificate or a request for one says of its subject. */
export interface SubjectContent {
  /** Distinguished name: `CN=shop.example.com`. */
  readonly subject: string
  readonly names: AlternativeNames
  /** Object identifiers. */
  readonly ekus: readonly string[]
  /** Names of RFC 5280: `digitalSignature`. */
  readonly keyUsage: readonly string[]
}

export interface Validity {
  /** Milliseconds since the epoch; certificates know seconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** Hexadecimal. */
  readonly serial: string
}

/** A certificate that may sign others. */
export interface Authority {
  readonly key: StoredKey
  /** DER, base64. */
  readonly der: string
  readonly subject: string
}

/** A PKCS #10 request for the key, signed by it; DER in base64. */
export async function certificateRequest(key: StoredKey, content: SubjectContent): Promise<string> {
  const keys = await signingPair(key)
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: content.subject,
    keys,
    signingAlgorithm: algorithm(key.kind),
    extensions: subjectExtensions(content),
  })
  return request.toString('base64')
}

/** A certificate that its own key signs; DER in base64. */
export async function selfSigned(key: StoredKey, content: SubjectContent, validity: Validity): Promise<string> {
  const keys = await signingPair(key)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: content.subject,
    keys,
    ...dates(validity),
    extensions: [
      new BasicConstraintsExtension(false),
      ...subjectExtensions(content),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return certificate.toString('base64')
}

/** What a CA makes of a request: its subject, alternative names and usages, under the CA's name; DER in base64. */
export async function signRequest(csr: string, authority: Authority, validity: Validity): Promise<string> {
  const request = new Pkcs10CertificateRequest(Buffer.from(csr, 'base64'))
  if (!(await request.verify())) throw new Error('the request is not signed by its own key')
  const ca = await signingPair(authority.key)
  const certificate = await X509CertificateGenerator.create({
    subject: request.subjectName,
    issuer: authority.subject,
    publicKey: request.publicKey,
    signingKey: ca.privateKey,
    ...dates(validity),
    extensions: [
      new BasicConstraintsExtension(false),
      ...request.extensions.filter(({ type }) => COPIED.has(type)),
      await SubjectKeyIdentifierExtension.create(request.publicKey),
      await AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  })
  return certificate.toString('base64')
}

/** A CA's own certificate: signed by `parent`, or by itself. */
export async function authority(
  key: StoredKey,
  subject: string,
  validity: Validity,
  parent?: Authority,
): Promise<Authority> {
  const keys = await signingPair(key)
  const signer = parent ? await signingPair(parent.key) : keys
  const certificate = await X509CertificateGenerator.create({
    subject,
    issuer: parent?.subject ?? subject,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    ...dates(validity),
    extensions: [
      new BasicConstraintsExtension(true, parent ? 0 : 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(signer.publicKey),
    ],
  })
  return { key, der: certificate.toString('base64'), subject }
}

/** Extensions of a request that a CA takes over: alternative names, key usage, extended key usage. */
const COPIED = new Set(['2.5.29.17', '2.5.29.15', '2.5.29.37'])

function dates({ notBefore, notAfter, serial }: Validity) {
  return { notBefore: new Date(notBefore), notAfter: new Date(notAfter), serialNumber: serial }
}

function subjectExtensions({ names, ekus, keyUsage }: SubjectContent): Extension[] {
  const list = generalNames(names)
  const flags = keyUsage.reduce((sum, name) => sum | usageFlag(name), 0)
  return [
    ...(list.length === 0 ? [] : [new SubjectAlternativeNameExtension(list)]),
    ...(flags === 0 ? [] : [new KeyUsagesExtension(flags, true)]),
    ...(ekus.length === 0 ? [] : [new ExtendedKeyUsageExtension([...ekus])]),
  ]
}

function usageFlag(name: string): number {
  const flags: Readonly<Record<string, number | string>> = KeyUsageFlags
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined
  return typeof flag === 'number' ? flag : 0
}

function generalNames(names: AlternativeNames): JsonGeneralNames {
  const { dnsNames = [], emails = [], upns = [], uris = [], ipAddresses = [] } = names
  return [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...emails.map((value) => ({ type: 'email' as const, value })),
    ...upns.map((value) => ({ type: 'upn' as const, value })),
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ]
}
