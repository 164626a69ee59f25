/** Lets `burst` requests through at once and then `perSecond` per key. Answers how many milliseconds to wait; 0: come in. */
export function requestRate(now: () => number, perSecond: number, burst: number): (key: string) => number {
  const buckets = new Map<string, { left: number; at: number }>()
  return (key) => {
    const time = now()
    const { left, at } = buckets.get(key) ?? { left: burst, at: time }
    const filled = Math.min(burst, left + ((time - at) / 1000) * perSecond)
    const isIn = filled >= 1
    buckets.set(key, { left: isIn ? filled - 1 : filled, at: time })
    return isIn ? 0 : Math.ceil(((1 - filled) / perSecond) * 1000)
  }
}
