import { createHash } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  type SubjectPublicKeyInfo,
} from '@peculiar/asn1-x509'

/** What makes a CA of a certificate: critical basic constraints with the CAs allowed below it, critical key usage. */
export function caExtensions(pathLength: number): Extensions {
  const constraints = new BasicConstraints({ cA: true, pathLenConstraint: pathLength })
  const usage = new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)
  return new Extensions([extension(id_ce_basicConstraints, constraints, true), extension(id_ce_keyUsage, usage, true)])
}

/** The identifiers of the subject's key and of the key that signs. */
export function keyIdentifiers(subject: ArrayBuffer, issuer: ArrayBuffer): readonly Extension[] {
  return [
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(subject)),
    extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(issuer) })),
  ]
}

/** Its names in DNS; none makes no extension. */
export function dnsExtensions(dnsNames: readonly string[]): readonly Extension[] {
  if (dnsNames.length === 0) return []
  const names = new SubjectAlternativeName(dnsNames.map((dNSName) => new GeneralName({ dNSName })))
  return [extension(id_ce_subjectAltName, names)]
}

/** SHA-1 of the public key's bits: method 1 of RFC 5280 §4.2.1.2. A name, not a protection. */
export function keyIdentifier({ subjectPublicKey }: SubjectPublicKeyInfo): ArrayBuffer {
  return new Uint8Array(createHash('sha1').update(Buffer.from(subjectPublicKey)).digest()).buffer
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}
