import { createHash } from 'node:crypto'
import { pem } from './pem.ts'
import type { CertificateRecord, CertificateSummary, PendingRecord, SecretVersion, VersionRecord } from './records.ts'

const RECOVERY = { recoveryLevel: 'Recoverable+Purgeable', recoverableDays: 90 }
const RETENTION_S = 90 * 24 * 3600

/** SHA-1 of a certificate (DER, base64), as base64url. */
export function thumbprint(der: string): string {
  return createHash('sha1').update(Buffer.from(der, 'base64')).digest('base64url')
}

/** A version as Get Certificate answers it. While a first version is pending there is no certificate in it. */
export function certificateBundle(host: string, record: CertificateRecord, version: VersionRecord | undefined): object {
  const { name, policy, pending } = record
  const id = version?.id ?? pending?.id ?? ''
  const common = {
    id: `https://${host}/certificates/${name}/${id}`,
    kid: `https://${host}/keys/${name}/${id}`,
    policy: { id: `https://${host}/certificates/${name}/policy`, ...policy },
    ...(pending ? { pending: { id: `https://${host}/certificates/${name}/pending` } } : {}),
  }
  if (!version) {
    const created = Math.floor((pending?.startedAt ?? 0) / 1000)
    return {
      ...common,
      attributes: { enabled: false, created, updated: created, ...RECOVERY },
      tags: pending?.tags ?? {},
    }
  }
  return {
    ...common,
    sid: `https://${host}/secrets/${name}/${id}`,
    x5t: thumbprint(version.der),
    cer: version.der,
    attributes: attributes(version),
    tags: version.tags,
  }
}

/** A version in the list of versions. */
export function versionItem(host: string, name: string, version: VersionRecord): object {
  const { id, der, tags } = version
  const at = `https://${host}/certificates/${name}/${id}`
  return { id: at, x5t: thumbprint(der), attributes: attributes(version), tags }
}

/** A certificate in the list of certificates. */
export function certificateItem(host: string, { name, newest, pendingSince = 0 }: CertificateSummary): object {
  const id = `https://${host}/certificates/${name}`
  if (newest) return { id, x5t: newest.x5t, attributes: attributes(newest), tags: newest.tags }
  const created = Math.floor(pendingSince / 1000)
  return { id, x5t: '', attributes: { enabled: false, created, updated: created, ...RECOVERY }, tags: {} }
}

/** What a deleted object has besides. */
export function deletion(
  host: string,
  room: 'certificates' | 'secrets' | 'keys',
  name: string,
  deletedAt: number,
): object {
  const recoveryId = `https://${host}/deleted${room}/${name}`
  return { recoveryId, deletedDate: deletedAt, scheduledPurgeDate: deletedAt + RETENTION_S }
}

export function operationBody(host: string, name: string, pending: PendingRecord): object {
  const { status, error, policy, requestId, csr, cancelling } = pending
  const { name: issuer } = policy.issuer
  const waiting =
    issuer === 'Unknown'
      ? 'Pending certificate created. Please Perform Merge to complete the request.'
      : 'Pending certificate created. Certificate request is in progress. This may take some time based on the issuer provider. Please check again later.'
  return {
    id: `https://${host}/certificates/${name}/pending`,
    issuer: policy.issuer,
    csr,
    cancellation_requested: cancelling,
    status,
    ...(status === 'inProgress' ? { status_details: waiting } : {}),
    ...(error ? { error } : {}),
    ...(status === 'completed' ? { target: `https://${host}/certificates/${name}` } : {}),
    request_id: requestId,
  }
}

/** The secret behind a certificate's version: its key, where it may leave the vault, and the chain. */
export function certificateSecret(host: string, name: string, version: VersionRecord): object {
  const { id, contentType, exportable, key, der, chain, tags } = version
  const certificates = [der, ...chain].map((one) => pem('CERTIFICATE', one)).join('')
  const value = exportable ? pem('PRIVATE KEY', key.pkcs8) + certificates : certificates
  return {
    value,
    contentType,
    id: `https://${host}/secrets/${name}/${id}`,
    managed: true,
    attributes: attributes(version),
    kid: `https://${host}/keys/${name}/${id}`,
    tags,
  }
}

export function secretBundle(host: string, name: string, version: SecretVersion): object {
  return { value: version.value, ...secretItem(host, name, version, version.id) }
}

/** What a list tells of a secret. */
export type SecretHead = Omit<SecretVersion, 'id' | 'value' | 'contentType'> & {
  readonly contentType?: string | undefined
}

/** A secret in a list: never with its value. Lists of secrets leave the version out. */
export function secretItem(host: string, name: string, version: SecretHead, id?: string): object {
  const { contentType, tags } = version
  return {
    id: `https://${host}/secrets/${name}${id === undefined ? '' : `/${id}`}`,
    ...(contentType === undefined ? {} : { contentType }),
    attributes: attributes(version),
    tags,
  }
}

/** What Key Vault tells of every object. */
export function attributes(of: {
  readonly enabled: boolean
  readonly nbf?: number
  readonly exp?: number
  readonly created: number
  readonly updated: number
}): object {
  const { enabled, nbf, exp, created, updated } = of
  return {
    enabled,
    ...(nbf === undefined ? {} : { nbf }),
    ...(exp === undefined ? {} : { exp }),
    created,
    updated,
    ...RECOVERY,
  }
}
