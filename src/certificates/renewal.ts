import { createHash } from 'node:crypto'
import type { CertificateSpec } from '../model/certificate.ts'
import { type Ends, leadMs, lifetimeMs, passedMarks, WARNING_DAYS, type Warning } from '../model/expiry.ts'

const DAY_MS = 86_400_000
/** Certificates that were made together are renewed over this part of their lead. */
const JITTER = 0.1
/** When less than this is left, nothing but the cluster itself holds a new version. */
const URGENT_MS = 7 * DAY_MS
const URGENT_PART = 0.2

/** When a new version is asked for, in epoch milliseconds. By name some do it earlier, so that not all come at once. */
export function renewAt(name: string, spec: Pick<CertificateSpec, 'renewBefore'>, version: Ends): number {
  const lead = leadMs(spec, version)
  return Math.floor(Date.parse(version.notAfter) - lead * (1 + JITTER * fractionOf(name)))
}

/** When a version that was asked for at `askedAt` is to be followed: never so soon that one that is due when it comes asks on and on. */
export function followAt(
  name: string,
  spec: Pick<CertificateSpec, 'renewBefore'>,
  version: Ends,
  askedAt: number | undefined,
): number {
  const due = renewAt(name, spec, version)
  return askedAt === undefined ? due : Math.max(due, askedAt + Math.min(DAY_MS, lifetimeMs(version) / 3))
}

/** Is so little left that windows and spread may not hold the next version? */
export function isUrgent(version: Ends | undefined, now: number): boolean {
  return version !== undefined && now >= urgentAt(version)
}

/** From when on windows and spread do not hold the next version: seven days before the end, or 20 % of a short life. */
export function urgentAt(version: Ends): number {
  return Date.parse(version.notAfter) - Math.min(URGENT_MS, lifetimeMs(version) * URGENT_PART)
}

/** Which marks before the end of a version are passed, as far as the renewal should have happened by then, and which of them are new. */
export function warningOf(
  spec: Pick<CertificateSpec, 'renewBefore'>,
  version: Ends,
  warned: readonly number[],
  now: number,
): Warning {
  return passedMarks(WARNING_DAYS, version, leadMs(spec, version), warned, now)
}

/** A number in [0, 1) that follows from a name. */
function fractionOf(name: string): number {
  return createHash('sha256').update(name).digest().readUInt32BE(0) / 2 ** 32
}
