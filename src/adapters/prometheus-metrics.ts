import type { AddressPolicy } from '../ports/address-policy.ts'
import type { Clock } from '../ports/clock.ts'
import type { MetricsSource, ValueSource } from '../ports/metrics.ts'
import { PortError } from '../ports/port-error.ts'
import type { Fetch } from './http-answer.ts'
import { prometheusSource } from './prometheus-source.ts'

export interface PrometheusSettings {
  /** Carries the requests; must be able to leave redirects alone (`redirect: 'manual'`). */
  readonly fetch: Fetch
  readonly addresses: AddressPolicy
}

/**
 * The Prometheus at an address that a cluster, or the settings, name. Throws PortError `denied` (reason
 * `AddressRefused`) for an address that may not be called.
 */
export async function openPrometheus(
  { fetch, addresses }: PrometheusSettings,
  clock: Clock,
  { name, url }: { readonly name: string; readonly url: string },
): Promise<MetricsSource & ValueSource> {
  const system = `Prometheus ${name}`
  const refusal = await addresses.refusal(url)
  if (refusal !== undefined) {
    throw new PortError('denied', system, `its address is not called: ${refusal}`, { reason: 'AddressRefused' })
  }
  return prometheusSource({ fetch, clock, system, url })
}
