/** Is a version lower, by its numbers? `v1.2.1` is older than `1.3.0`. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => (text.match(/\d+/g) ?? []).slice(0, 3).map(Number))
  for (const [index, number] of (b ?? []).entries()) {
    const difference = (a?.[index] ?? 0) - number
    if (difference !== 0) return difference < 0
  }
  return false
}
