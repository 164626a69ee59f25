import type { BuiltInGate } from '../model/gate.ts'
import type { Counts } from '../model/rollout.ts'
import type { CountsSource } from '../ports/metrics.ts'
import { isPortError } from '../ports/port-error.ts'
import { type CountedWindow, lateness, type WindowCounts } from './count-window.ts'
import { NO_COUNTS } from './observations.ts'

/**
 * Counts one service's requests where they are kept as events: in logs, or as metrics of an Azure resource. `versions` is
 * what the source calls each version. Anything but a whole and timely answer is blind.
 */
export async function countRemotely(
  source: CountsSource,
  service: { readonly namespace: string; readonly name: string },
  versions: Readonly<Record<string, string>>,
  gate: BuiltInGate,
  window: CountedWindow,
): Promise<WindowCounts> {
  const bad = gate.kind === 'latency' ? { kind: gate.kind, overMs: gate.overMs } : { kind: gate.kind }
  try {
    const { namespace, name } = service
    const { byVersion, newestMs } = await source.counts({ service: { namespace, name }, versions, bad }, window)
    if (newestMs === undefined) {
      const values = Object.values(versions).join(', ')
      return { ok: false, reason: 'NoData', why: `the source has no requests of the versions ${values}` }
    }
    const late = lateness(newestMs, window)
    if (late !== undefined) return { ok: false, reason: 'DataLate', why: late }
    const counts = Object.keys(versions).map((version): [string, Counts] => [version, byVersion[version] ?? NO_COUNTS])
    return { ok: true, byVersion: Object.fromEntries(counts) }
  } catch (error) {
    if (!isPortError(error)) throw error
    return { ok: false, reason: 'QueryFailed', why: error.message }
  }
}
