import type { CertificatePolicy } from '@azure/keyvault-certificates'
import type { VaultPolicy } from '../../ports/vault.ts'

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
/** The longest common name that X.509 knows. */
const LONGEST_NAME = 64

/**
 * The policy as the SDK wants it. The vault only tells people that the end is near (EmailContacts), for it would renew by
 * itself where a policy says nothing: rotations are ours.
 */
export function certificatePolicy({ issuer, dnsNames, validityMonths, key }: VaultPolicy): CertificatePolicy {
  const [first = '', ...others] = dnsNames
  const subject = first.length <= LONGEST_NAME ? { subject: `CN=${first}` } : {}
  return {
    issuerName: issuer.kind === 'self' ? 'Self' : issuer.kind === 'integrated' ? issuer.name : 'Unknown',
    ...subject,
    subjectAlternativeNames: { dnsNames: [first, ...others] },
    validityInMonths: validityMonths,
    contentType: 'application/x-pem-file',
    exportable: true,
    reuseKey: false,
    ...(key.type === 'RSA'
      ? { keyType: 'RSA', keySize: key.size, keyUsage: ['digitalSignature', 'keyEncipherment'] }
      : { keyType: 'EC', keyCurveName: key.curve, keyUsage: ['digitalSignature'] }),
    enhancedKeyUsage: [SERVER_AUTH],
    lifetimeActions: [{ action: 'EmailContacts', lifetimePercentage: 80 }],
  }
}
