import { VaultError } from './errors.ts'
import type { Limits } from './options.ts'

const WINDOW_MS = 10_000

export type Throttle = (host: string, kind: keyof Limits, nowMs: number) => void

/**
 * Counts calls to each vault in windows of ten seconds. The returned function throws a 429 with `Retry-After` for the
 * one that is too many. Limits: learn.microsoft.com/azure/key-vault/general/service-limits
 */
export function throttle(limits: Limits): Throttle {
  const counts = new Map<string, { window: number; count: number }>()
  return (host, kind, nowMs) => {
    const window = Math.floor(nowMs / WINDOW_MS)
    const key = `${kind} ${host}`
    const known = counts.get(key)
    const count = known?.window === window ? known.count + 1 : 1
    counts.set(key, { window, count })
    if (count <= limits[kind]) return
    const retryAfterS = Math.ceil(((window + 1) * WINDOW_MS - nowMs) / 1000)
    const message =
      'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached'
    throw new VaultError(429, 'Throttled', message, { headers: { 'retry-after': String(retryAfterS) } })
  }
}
