import { type LatencyModel, latencyModel } from './latency.ts'
import type { VersionSpec } from './world-spec.ts'

/** Mean error share of a span of time, 0 to 1, bursts included. */
export function errorShare({ errorPercent, burst }: VersionSpec, fromMs: number, toMs: number): number {
  if (burst === null) return errorPercent / 100
  const inBurst = burstMs(burst, toMs) - burstMs(burst, fromMs)
  const part = inBurst / (toMs - fromMs)
  return (part * burst.errorPercent + (1 - part) * errorPercent) / 100
}

/** Milliseconds of bursts from the epoch to a time. */
function burstMs({ everyMs, forMs }: NonNullable<VersionSpec['burst']>, timeMs: number): number {
  const whole = Math.floor(timeMs / everyMs)
  return whole * Math.min(forMs, everyMs) + Math.min(forMs, timeMs - whole * everyMs)
}

const models = new WeakMap<VersionSpec, LatencyModel>()

/** How long a version takes. */
export function latencyOf(version: VersionSpec): LatencyModel {
  const known = models.get(version)
  if (known) return known
  const model = latencyModel(version.latencyMs, version.latencyP99Ms ?? 4 * version.latencyMs)
  models.set(version, model)
  return model
}
