interface Bucket {
  readonly tokens: number
  readonly atMs: number
}

export interface BucketSize {
  /** Requests that may come at once. */
  readonly burst: number
  /** Requests a second that fill it again. */
  readonly perSecond: number
}

/** Token buckets by name, as AKS throttles with them. `take` answers 0, or in how many whole seconds to come again. */
export function tokenBuckets(now: () => number): { take(name: string, size: BucketSize): number } {
  const buckets = new Map<string, Bucket>()
  return {
    take(name, { burst, perSecond }) {
      const atMs = now()
      const before = buckets.get(name) ?? { tokens: burst, atMs }
      const tokens = Math.min(burst, before.tokens + (Math.max(0, atMs - before.atMs) / 1000) * perSecond)
      buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs })
      return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perSecond)
    },
  }
}
