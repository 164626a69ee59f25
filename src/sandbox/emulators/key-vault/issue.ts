import { X509Certificate } from 'node:crypto'
import type { EmulatorContext } from '../emulator.ts'
import { type IssuingAuthority, openAuthority } from './authorities.ts'
import { generateKey, type MakeKey, type StoredKey } from './keys.ts'
import { keyKind, type Policy, subjectContent } from './policy.ts'
import type { CertificateRecord, PendingRecord, Tags, VersionRecord } from './records.ts'
import { certificateRequest, selfSigned, signRequest } from './x509.ts'

/** The vault's clocks run behind: a certificate is good ten minutes before it is made. */
const BACKDATED_MS = 600_000

/** Makes keys, requests and certificates. */
export class Issuance {
  private readonly context: EmulatorContext
  private readonly makeKey: MakeKey
  private ca: Promise<IssuingAuthority> | undefined

  constructor(context: EmulatorContext, makeKey: MakeKey = generateKey) {
    this.context = context
    this.makeKey = makeKey
  }

  /** The CA of the integrated issuers. */
  authority(): Promise<IssuingAuthority> {
    this.ca ??= openAuthority(this.context.storage.table('key-vault-ca'))
    return this.ca
  }

  /** What is pending from now on, with a key of its own, or the last one where the policy says so. */
  async begin(
    record: CertificateRecord | undefined,
    policy: Policy,
    { tags, enabled }: { tags: Tags; enabled: boolean },
  ): Promise<PendingRecord> {
    const last = record?.versions.at(-1)?.key
    const key = policy.key_props.reuse_key && last ? last : await this.makeKey(keyKind(policy))
    return {
      id: this.hex(32),
      requestId: this.hex(32),
      key,
      csr: await certificateRequest(key, subjectContent(policy)),
      status: 'inProgress',
      cancelling: false,
      policy,
      tags,
      enabled,
      startedAt: this.context.now(),
    }
  }

  /** The version that a pending operation becomes when its issuer, Self or an integrated one, signs. */
  async issue(pending: PendingRecord): Promise<VersionRecord> {
    const { policy } = pending
    const notBefore = Math.floor((this.context.now() - BACKDATED_MS) / 1000) * 1000
    const notAfter = addMonths(notBefore, policy.x509_props.validity_months)
    const validity = { notBefore, notAfter, serial: this.serial() }
    if (policy.issuer.name === 'Self') {
      const der = await selfSigned(pending.key, subjectContent(policy), validity)
      return this.version(pending, der, [])
    }
    const { intermediate, root } = await this.authority()
    const der = await signRequest(pending.csr, intermediate, validity)
    return this.version(pending, der, [intermediate.der, root.der])
  }

  /** A version out of a certificate that is there, with what comes with it (DER, base64). */
  version(
    made: {
      readonly id: string
      readonly key: StoredKey
      readonly policy: Policy
      readonly tags: Tags
      readonly enabled: boolean
    },
    der: string,
    chain: readonly string[],
  ): VersionRecord {
    const { validFrom, validTo } = new X509Certificate(Buffer.from(der, 'base64'))
    const now = Math.floor(this.context.now() / 1000)
    return {
      id: made.id,
      der,
      chain,
      key: made.key,
      contentType: made.policy.secret_props.contentType,
      exportable: made.policy.key_props.exportable,
      enabled: made.enabled,
      nbf: Date.parse(validFrom) / 1000,
      exp: Date.parse(validTo) / 1000,
      created: now,
      updated: now,
      tags: made.tags,
    }
  }

  /** As many digits of chance. */
  hex(digits: number): string {
    return Array.from({ length: digits }, () => Math.floor(this.context.random() * 16).toString(16)).join('')
  }

  /** Positive, and never with a zero in front. */
  private serial(): string {
    return `5${this.hex(31)}`
  }
}

function addMonths(ms: number, months: number): number {
  const date = new Date(ms)
  date.setUTCMonth(date.getUTCMonth() + months)
  return date.getTime()
}
