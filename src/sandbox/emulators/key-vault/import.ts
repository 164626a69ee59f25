import { createPublicKey, X509Certificate } from 'node:crypto'
import { badParameter } from './errors.ts'
import { privateKeyOf, readPrivateKey, type StoredKey } from './keys.ts'
import { pem, readPem } from './pem.ts'
import type { WirePolicy } from './policy.ts'

const MISMATCH =
  'The public key of the end-entity certificate in the specified X.509 certificate content does not match the public part of the specified private key. Please check if certificate is valid.'

/** A key with its certificate and what comes with it; DER in base64. */
export interface ImportedChain {
  readonly key: StoredKey
  readonly der: string
  readonly chain: readonly string[]
}

/** Reads what is imported: PEM with a private key. PKCS #12 is refused: nothing here can open it. Throws a 400. */
export function readImport(value: string): ImportedChain {
  if (!value.includes('-----BEGIN')) throw badParameter('This emulator of Key Vault imports PEM only, and no PKCS #12')
  const blocks = readPem(value)
  const keys = blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'))
  const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ base64 }) => base64)
  const [privateKey] = keys
  if (!privateKey || keys.length > 1)
    throw badParameter('The specified PEM X.509 certificate content is in an unexpected format.')
  const key = readKey(pem(privateKey.label, privateKey.base64))
  return { key, ...leafFirst(key, certificates) }
}

/** The chain that is merged into a pending request, for the request's key. Throws a 400. */
export function readMerge(key: StoredKey, x5c: readonly string[]): Omit<ImportedChain, 'key'> {
  return leafFirst(key, x5c.map(certificateOf))
}

/** The policy that a certificate's own content gives, under the one that came with it. */
export function importedPolicy({ key, der }: ImportedChain, given: WirePolicy): WirePolicy {
  const certificate = new X509Certificate(Buffer.from(der, 'base64'))
  const { kind } = key
  const dnsNames = [...(certificate.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name)
  const months = Math.round((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / MONTH_MS)
  return {
    ...given,
    key_props: {
      ...(kind.kty === 'RSA' ? { kty: 'RSA', key_size: kind.size } : { kty: 'EC', crv: kind.curve }),
      exportable: given.key_props?.exportable ?? true,
    },
    secret_props: { contentType: 'application/x-pem-file' },
    x509_props: {
      subject: certificate.subject.split('\n').join(', '),
      sans: { dns_names: dnsNames },
      validity_months: Math.max(1, months),
    },
    issuer: given.issuer ?? { name: 'Unknown' },
  }
}

const MONTH_MS = 30.4 * 24 * 3_600_000

function readKey(text: string): StoredKey {
  try {
    return readPrivateKey(text)
  } catch {
    throw badParameter('The specified private key is in an unexpected format.')
  }
}

/** One element of `x5c`: the certificate in base64, or the base64 of its text, which some clients send. */
function certificateOf(value: string): string {
  const bytes = Buffer.from(value, 'base64')
  const text = bytes.toString('latin1')
  const der = bytes[0] === 0x30 ? value : (readPem(text)[0]?.base64 ?? text.replace(/\s+/g, ''))
  try {
    return new X509Certificate(Buffer.from(der, 'base64')).raw.toString('base64')
  } catch {
    throw badParameter('The specified X.509 certificate content is in an unexpected format.')
  }
}

function leafFirst(key: StoredKey, certificates: readonly string[]): Omit<ImportedChain, 'key'> {
  const mine = publicText(key)
  const parsed = certificates.map((der) => ({ der, certificate: parse(der) }))
  const leaf = parsed.find(({ certificate }) => spki(certificate) === mine)
  if (!leaf) throw badParameter(MISMATCH)
  return { der: leaf.der, chain: parsed.filter((one) => one !== leaf).map(({ der }) => der) }
}

function parse(der: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(der, 'base64'))
  } catch {
    throw badParameter('The specified X.509 certificate content is in an unexpected format.')
  }
}

function publicText(key: StoredKey): string {
  return createPublicKey(privateKeyOf(key)).export({ format: 'der', type: 'spki' }).toString('base64')
}

function spki(certificate: X509Certificate): string {
  return certificate.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
}
