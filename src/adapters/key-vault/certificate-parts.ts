import { X509Certificate } from 'node:crypto'
import type { VaultVersion } from '../../ports/vault.ts'

/** What a certificate (DER) itself says, as the port tells it. Throws for bytes that are none. */
export function certificateParts(
  der: Uint8Array,
): Pick<VaultVersion, 'serial' | 'fingerprint' | 'notBefore' | 'notAfter' | 'dnsNames' | 'issuer' | 'pem'> {
  const certificate = new X509Certificate(der)
  return {
    serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    dnsNames: dnsNames(certificate.subjectAltName),
    // Node gives undefined for an issuer without a name, whatever its types say.
    issuer: (certificate.issuer ?? '').split('\n').join(', '),
    pem: `${certificate.toString().trimEnd()}\n`,
  }
}

/** Node writes `DNS:a, DNS:b, IP Address:1.2.3.4`; what could be taken for a comma of the list stands in quotes. */
function dnsNames(text: string | undefined): readonly string[] {
  const parts = (text ?? '').match(/[A-Za-z][A-Za-z0-9 ]*:("(?:[^"\\]|\\.)*"|[^,]*)/g) ?? []
  return parts.filter((part) => part.startsWith('DNS:')).map((part) => part.slice('DNS:'.length).trim())
}

/** Certificates of a PEM text, in their order, as DER. */
export function certificatesOf(pem: string): readonly Uint8Array[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)].map(
    ([, body = '']) => Buffer.from(body, 'base64'),
  )
}
