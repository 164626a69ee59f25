import type { KubeRequest } from './kube-request.ts'

/** Of each service, all versions together. */
const PER_SECOND = 120

/** Which share of a service's requests its candidate has got since when, as its routes were written. */
export class Traffic {
  private readonly shares = new Map<string, { readonly atMs: number; readonly share: number }[]>()

  /** Takes notice of a write of a route. Writes come in the order of time. */
  note({ atMs, path, status, weights }: KubeRequest): void {
    const name = /\/virtualservices\/([^/?]+)/.exec(path)?.[1]
    if (name === undefined || !weights || status >= 300) return
    const shares = this.shares.get(name) ?? []
    this.shares.set(name, shares)
    shares.push({ atMs, share: (weights.v2 ?? 0) / 100 })
  }

  /** Per cents that the candidate of a service gets now. */
  share(service: string): number {
    return 100 * (this.shares.get(service)?.at(-1)?.share ?? 0)
  }

  /** Requests to the candidate of a service in a stretch of time, in epoch milliseconds. */
  toCandidate(service: string, fromMs: number, toMs: number): number {
    const shares = this.shares.get(service) ?? []
    return shares.reduce((sum, { atMs, share }, index) => {
      const endMs = Math.min(shares[index + 1]?.atMs ?? toMs, toMs)
      return sum + Math.max(0, endMs - Math.max(atMs, fromMs)) * share * (PER_SECOND / 1000)
    }, 0)
  }

  all(fromMs: number, toMs: number): number {
    return Math.max(0, toMs - fromMs) * (PER_SECOND / 1000)
  }
}
