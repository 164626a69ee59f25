import type { Storage, Table } from '../emulator.ts'
import type { StoredKey } from './keys.ts'
import type { Policy } from './policy.ts'

export type Tags = Readonly<Record<string, string>>

/** One version of a certificate, with its key and its secret. Times in seconds since the epoch. */
export interface VersionRecord {
  readonly id: string
  /** The certificate, DER in base64. */
  readonly der: string
  /** What comes with it: intermediates, and a root where one was given. */
  readonly chain: readonly string[]
  readonly key: StoredKey
  readonly contentType: string
  readonly exportable: boolean
  readonly enabled: boolean
  readonly nbf: number
  readonly exp: number
  readonly created: number
  readonly updated: number
  readonly tags: Tags
  /** The last notice of its end that was given. */
  readonly noticed?: 'near' | 'expired'
}

/** The making of a version. */
export interface PendingRecord {
  /** The version that it becomes. */
  readonly id: string
  readonly requestId: string
  readonly key: StoredKey
  /** DER, base64. */
  readonly csr: string
  readonly status: 'inProgress' | 'completed' | 'cancelled' | 'failed'
  readonly cancelling: boolean
  readonly error?: { readonly code: string; readonly message: string }
  readonly policy: Policy
  readonly tags: Tags
  readonly enabled: boolean
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

export interface CertificateRecord {
  readonly name: string
  readonly policy: Policy
  /** Oldest first. */
  readonly versions: readonly VersionRecord[]
  readonly pending?: PendingRecord
  /** Seconds since the epoch: since when it lies deleted. */
  readonly deletedAt?: number
}

export interface SecretVersion {
  readonly id: string
  readonly value: string
  readonly contentType?: string
  readonly enabled: boolean
  readonly nbf?: number
  readonly exp?: number
  readonly created: number
  readonly updated: number
  readonly tags: Tags
}

/** A secret that belongs to no certificate. */
export interface SecretRecord {
  readonly name: string
  readonly versions: readonly SecretVersion[]
  readonly deletedAt?: number
}

/** One version of a key that belongs to no certificate. Times in seconds since the epoch. */
export interface KeyVersion {
  readonly id: string
  /** Never given out. */
  readonly key: StoredKey
  /** `EC`, `EC-HSM`, `RSA`, `RSA-HSM`. */
  readonly kty: string
  readonly ops: readonly string[]
  readonly enabled: boolean
  readonly nbf?: number
  readonly exp?: number
  readonly created: number
  readonly updated: number
  readonly tags: Tags
}

export interface KeyRecord {
  readonly name: string
  /** Oldest first. */
  readonly versions: readonly KeyVersion[]
  readonly deletedAt?: number
}

/** What lists need of a certificate: they go over thousands, and the records are large. */
export interface CertificateSummary {
  readonly name: string
  readonly deletedAt?: number
  readonly pendingSince?: number
  /** Seconds since the epoch: when the policy wants the vault to renew it by itself. */
  readonly renewsAt?: number
  readonly newest?: Pick<VersionRecord, 'enabled' | 'nbf' | 'exp' | 'created' | 'updated' | 'tags' | 'noticed'> & {
    readonly x5t: string
  }
}

/** The certificates, keys and secrets of all vaults, by the vault's host and their name. */
export class Records {
  private readonly certificates: Table
  private readonly summaries: Table
  /** Names with an operation in progress: few, and looked over often. */
  private readonly pending: Table
  private readonly secrets: Table
  private readonly keys: Table
  /** Summaries by vault, by name: as they are kept, until something changes. A list of thousands is read page by page. */
  private readonly sorted = new Map<string, readonly CertificateSummary[]>()

  constructor(storage: Storage) {
    this.certificates = storage.table('key-vault-certificates')
    this.summaries = storage.table('key-vault-summaries')
    this.pending = storage.table('key-vault-pending')
    this.secrets = storage.table('key-vault-secrets')
    this.keys = storage.table('key-vault-keys')
  }

  certificate(host: string, name: string): CertificateRecord | undefined {
    return this.certificates.get(key(host, name)) as CertificateRecord | undefined
  }

  putCertificate(host: string, record: CertificateRecord, summary: CertificateSummary): void {
    this.sorted.delete(host)
    this.certificates.put(key(host, record.name), record)
    this.summaries.put(key(host, record.name), summary)
    if (record.pending?.status === 'inProgress') this.pending.put(key(host, record.name), { host, name: record.name })
    else this.pending.delete(key(host, record.name))
  }

  dropCertificate(host: string, name: string): void {
    this.sorted.delete(host)
    this.certificates.delete(key(host, name))
    this.summaries.delete(key(host, name))
    this.pending.delete(key(host, name))
  }

  /** Where an operation is in progress: in one vault, or in all. */
  inProgress(host = ''): readonly { readonly host: string; readonly name: string }[] {
    return [...this.pending.entries(host)].map(([, at]) => at as { host: string; name: string })
  }

  /** By name. Names that differ only in case are the same to the vault. */
  listCertificates(host: string): readonly CertificateSummary[] {
    const known = this.sorted.get(host)
    if (known) return known
    const read = [...this.summaries.entries(`${host}/`)].map(([, summary]) => summary as CertificateSummary)
    this.sorted.set(host, read)
    return read
  }

  /** Of every vault. */
  *everyCertificate(): Iterable<readonly [host: string, summary: CertificateSummary]> {
    for (const [at, summary] of this.summaries.entries())
      yield [at.slice(0, at.indexOf('/')), summary as CertificateSummary]
  }

  secret(host: string, name: string): SecretRecord | undefined {
    return this.secrets.get(key(host, name)) as SecretRecord | undefined
  }

  putSecret(host: string, record: SecretRecord): void {
    this.secrets.put(key(host, record.name), record)
  }

  dropSecret(host: string, name: string): void {
    this.secrets.delete(key(host, name))
  }

  *listSecrets(host: string): Iterable<SecretRecord> {
    for (const [, record] of this.secrets.entries(`${host}/`)) yield record as SecretRecord
  }

  key(host: string, name: string): KeyRecord | undefined {
    return this.keys.get(key(host, name)) as KeyRecord | undefined
  }

  putKey(host: string, record: KeyRecord): void {
    this.keys.put(key(host, record.name), record)
  }

  dropKey(host: string, name: string): void {
    this.keys.delete(key(host, name))
  }

  *listKeys(host: string): Iterable<KeyRecord> {
    for (const [, record] of this.keys.entries(`${host}/`)) yield record as KeyRecord
  }
}

function key(host: string, name: string): string {
  return `${host}/${name.toLowerCase()}`
}
