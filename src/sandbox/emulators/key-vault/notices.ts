import type { EmulatorContext } from '../emulator.ts'
import type { CertificateParts } from './certificate-routes.ts'
import type { CertificateSummary, VersionRecord } from './records.ts'

/** Key Vault tells of an end thirty days before. */
const NEAR_S = 30 * 24 * 3600

/** Does what is due: ends operations, begins renewals that a policy asks for, tells of ends that are near or past. */
export async function passTime(context: EmulatorContext, parts: CertificateParts): Promise<void> {
  const { certificates, records } = parts
  await certificates.settleAll()
  const now = context.now() / 1000
  for (const [host, summary] of [...records.everyCertificate()]) {
    if (summary.deletedAt !== undefined) continue
    giveNotice(parts, host, summary, now)
    await renew(parts, host, summary, now)
  }
}

function giveNotice({ certificates }: CertificateParts, host: string, summary: CertificateSummary, now: number): void {
  const { newest, name } = summary
  if (!newest?.enabled) return
  const due = noticeDue(newest.exp, now)
  if (due === undefined || due === newest.noticed) return
  const record = certificates.kept(host, name)
  const version = record?.versions.at(-1)
  if (!record || !version) return
  const noticed: VersionRecord = { ...version, noticed: due }
  certificates.put(host, { ...record, versions: [...record.versions.slice(0, -1), noticed] })
  certificates.tell(due === 'near' ? 'CertificateNearExpiry' : 'CertificateExpired', host, name, version)
}

function noticeDue(exp: number, now: number): 'near' | 'expired' | undefined {
  if (now >= exp) return 'expired'
  return now >= exp - NEAR_S ? 'near' : undefined
}

/** AutoRenew of a policy: the vault starts a version by itself, with the tags of the last. */
async function renew(
  { certificates }: CertificateParts,
  host: string,
  { newest, pendingSince, renewsAt, name }: CertificateSummary,
  now: number,
): Promise<void> {
  if (!newest || pendingSince !== undefined || renewsAt === undefined || now < renewsAt) return
  // The issuer said no: the vault does not ask again by itself.
  if (certificates.kept(host, name)?.pending?.status === 'failed') return
  await certificates.create(host, name, { policy: {}, tags: newest.tags, enabled: true })
}
