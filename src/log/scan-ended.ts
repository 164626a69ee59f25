import type { Witness } from './witness.ts'

/** What a scan of certificates found, as far as operators are told. */
export interface ScanEnd {
  readonly certificates: number
  readonly vaults: number
  readonly pages: number
  readonly queued: number
  /** Addresses of vaults that did not answer. */
  readonly failed: readonly string[]
  /** The certificate in use that ends first. */
  readonly soonest?: { readonly certificate: string; readonly notAfter: string }
}

/** `scan.ended`: a vault that does not answer leaves its certificates to the next scan. */
export function logScan({ logger, telemetry }: Witness, end: ScanEnd, now: number): void {
  if (end.soonest) {
    const days = (Date.parse(end.soonest.notAfter) - now) / 86_400_000
    telemetry.gauge('meshwright.certificate.days_left', Math.floor(days * 10) / 10)
  }
  logger.log(end.failed.length > 0 ? 'warn' : 'info', 'scan.ended', { ...end })
}
