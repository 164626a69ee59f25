import type { EmulatorContext } from '../emulator.ts'
import { badParameter, certificateNotFound, isDeleted, VaultError } from './errors.ts'
import type { Issuance } from './issue.ts'
import { DEFAULTS, type KeyVaultOptions, type VaultEvent } from './options.ts'
import { completePolicy, type Policy, type WirePolicy } from './policy.ts'
import type { CertificateRecord, PendingRecord, Records, Tags, VersionRecord } from './records.ts'
import { thumbprint } from './wire.ts'

export interface Wanted {
  readonly policy: WirePolicy
  readonly tags: Tags
  readonly enabled: boolean
}

/** The certificates of all vaults: what is kept, what becomes of it in time, and who hears of it. */
export class Certificates {
  private readonly context: EmulatorContext
  private readonly options: KeyVaultOptions
  private readonly records: Records
  private readonly issuance: Issuance

  constructor(context: EmulatorContext, options: KeyVaultOptions, records: Records, issuance: Issuance) {
    this.context = context
    this.options = options
    this.records = records
    this.issuance = issuance
  }

  /** The certificate as it is now; undefined when there is none, or it lies deleted. */
  async find(host: string, name: string): Promise<CertificateRecord | undefined> {
    const record = this.records.certificate(host, name)
    if (!record || record.deletedAt !== undefined) return undefined
    return this.settle(host, record)
  }

  /** The record as it is kept, deleted or not. */
  kept(host: string, name: string): CertificateRecord | undefined {
    return this.records.certificate(host, name)
  }

  /** Like `find`; throws the 404. */
  async get(host: string, name: string): Promise<CertificateRecord> {
    const record = await this.find(host, name)
    if (!record) throw certificateNotFound(name)
    return record
  }

  /** The certificate that lies deleted; throws the 404 when none does. */
  deleted(host: string, name: string): CertificateRecord & { readonly deletedAt: number } {
    const record = this.records.certificate(host, name)
    if (record?.deletedAt === undefined)
      throw new VaultError(404, 'CertificateNotFound', `Deleted Certificate not found: ${name}`)
    return { ...record, deletedAt: record.deletedAt }
  }

  /** Starts the making of a version; throws a 409 when the name is taken, deleted or has one pending. */
  async create(host: string, name: string, wanted: Wanted): Promise<CertificateRecord & { pending: PendingRecord }> {
    const known = await this.freeFor(host, name)
    const policy = this.policy(wanted.policy, known)
    const pending = await this.begin(known, policy, wanted)
    const record = { ...(known ?? { name, versions: [] }), policy, pending }
    this.put(host, record)
    return record
  }

  /** Names that are no names show when the request is made: that is the caller's fault. */
  private async begin(known: CertificateRecord | undefined, policy: Policy, wanted: Wanted): Promise<PendingRecord> {
    try {
      return await this.issuance.begin(known, policy, wanted)
    } catch (error) {
      if (error instanceof VaultError) throw error
      throw badParameter('Property policy.x509_props has invalid value')
    }
  }

  /** What a name may be used for anew: its record so far. Throws the 409s. */
  async freeFor(host: string, name: string): Promise<CertificateRecord | undefined> {
    if (this.records.certificate(host, name)?.deletedAt !== undefined) throw isDeleted('Certificate', name)
    const secret = this.records.secret(host, name)
    if (secret) {
      if (secret.deletedAt !== undefined) throw isDeleted('Secret', name)
      throw new VaultError(409, 'Conflict', `A secret with the name ${name} is already in this vault.`)
    }
    const key = this.records.key(host, name)
    if (key) {
      if (key.deletedAt !== undefined) throw isDeleted('Key', name)
      throw new VaultError(409, 'Conflict', `A key with the name ${name} is already in this vault.`)
    }
    const known = await this.find(host, name)
    if (known?.pending?.status !== 'inProgress') return known
    const message =
      "A new key vault certificate can not be created or imported while a pending key vault certificate's status is inProgress."
    throw new VaultError(409, 'Forbidden', message)
  }

  /** A whole policy out of the one that is given; its issuer must be there. */
  policy(given: WirePolicy, known: CertificateRecord | undefined): Policy {
    const policy = completePolicy(given, Math.floor(this.context.now() / 1000), known?.policy)
    const { name } = policy.issuer
    const { issuers = DEFAULTS.issuers } = this.options
    if (name === 'Self' || name === 'Unknown' || issuers.includes(name)) return policy
    throw new VaultError(404, 'CertificateIssuerNotFound', `Certificate issuer not found: ${name}`)
  }

  /** Keeps a new version, and tells of it. */
  addVersion(host: string, record: CertificateRecord, version: VersionRecord): CertificateRecord {
    const grown = { ...record, versions: [...record.versions, version] }
    this.put(host, grown)
    this.tell('CertificateNewVersionCreated', host, record.name, version)
    return grown
  }

  put(host: string, record: CertificateRecord): void {
    const { name, pending, deletedAt } = record
    const newest = record.versions.at(-1)
    this.records.putCertificate(host, record, {
      name,
      ...(deletedAt === undefined ? {} : { deletedAt }),
      ...(pending?.status === 'inProgress' ? { pendingSince: pending.startedAt } : {}),
      ...renewal(record),
      ...(newest ? { newest: { ...summaryOf(newest), x5t: thumbprint(newest.der) } } : {}),
    })
  }

  tell(type: VaultEvent['type'], host: string, name: string, { id, nbf, exp }: VersionRecord): void {
    this.options.onEvent?.({ type, host, name, version: id, nbf, exp })
  }

  /** Lets a pending operation end whose time has come. */
  async settle(host: string, record: CertificateRecord): Promise<CertificateRecord> {
    const { pending } = record
    const { issueMs = DEFAULTS.issueMs } = this.options
    if (pending?.status !== 'inProgress' || this.context.now() < pending.startedAt + issueMs) return record
    if (pending.cancelling) return this.end(host, record, { ...pending, status: 'cancelled' })
    if (pending.policy.issuer.name === 'Unknown') return record
    const refusal = this.options.refusal?.(record.name)
    if (refusal !== undefined) {
      const error = { code: 'Certificate issuer error', message: refusal }
      return this.end(host, record, { ...pending, status: 'failed', error })
    }
    const version = await this.issuance.issue(pending)
    return this.addVersion(host, { ...record, pending: { ...pending, status: 'completed' } }, version)
  }

  /** Lets everything end whose time has come: in one vault, or in all. */
  async settleAll(host?: string): Promise<void> {
    const places = this.records.inProgress(host === undefined ? '' : `${host}/`)
    for (const place of places) await this.find(place.host, place.name)
  }

  private end(host: string, record: CertificateRecord, pending: PendingRecord): CertificateRecord {
    const ended = { ...record, pending }
    this.put(host, ended)
    return ended
  }
}

function summaryOf({ enabled, nbf, exp, created, updated, tags, noticed }: VersionRecord) {
  return { enabled, nbf, exp, created, updated, tags, ...(noticed === undefined ? {} : { noticed }) }
}

const DAY_S = 24 * 3600

/** When the policy's first AutoRenew is due. The vault cannot renew what others sign. */
function renewal({ policy, versions }: CertificateRecord): { renewsAt?: number } {
  const newest = versions.at(-1)
  if (!newest || policy.issuer.name === 'Unknown') return {}
  const { nbf, exp } = newest
  const times = policy.lifetime_actions
    .filter(({ action }) => action.action_type === 'AutoRenew')
    .map(({ trigger: { days_before_expiry: days, lifetime_percentage: part } }) =>
      days == null ? nbf + ((exp - nbf) * (part ?? 80)) / 100 : exp - days * DAY_S,
    )
  return times.length === 0 ? {} : { renewsAt: Math.min(...times) }
}
