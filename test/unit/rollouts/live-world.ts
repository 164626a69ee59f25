import type { ServiceDocument } from '../../../src/model/documents.ts'
import { timestamp } from '../../../src/model/names.ts'
import type { Rollout } from '../../../src/model/rollout.ts'
import { advanceRollouts } from '../../../src/rollouts/advance-rollouts.ts'
import { aCluster, aPlacement, aService } from '../fakes/documents.ts'
import { FakeMetrics, putRequests } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'
import { MINUTE, SECOND, T0 } from './fixture.ts'

const CLUSTERS = ['east', 'west']

/** shop/web on east and west, whose rollouts are advanced as the host does it. */
export class LiveWorld {
  readonly store = new MemoryStore({ relaying: true })
  readonly metrics = new FakeMetrics()
  now = T0 + MINUTE

  constructor() {
    for (const name of CLUSTERS) {
      this.store.put(aCluster(name))
      this.store.put(aPlacement(name))
    }
  }

  /** The rollout, at T0. */
  begin(rollout: Rollout): void {
    this.now = T0
    this.store.put(aService({ renderRevision: 102, rollouts: [rollout] }))
  }

  advance() {
    const clock = { now: () => this.now, sleep: async () => undefined }
    const { store, metrics } = this
    return advanceRollouts({ store, metrics, clock, caps: { perCluster: 10, inAll: 30 } }, 'shop/web')
  }

  service(): ServiceDocument {
    return this.store.get('service', 'shop/web')
  }

  rollout(): Rollout | undefined {
    return this.service().rollouts[0]
  }

  /** Shared as the steps ask: 10 % for the first, 50 % from when the second is live; v2 fails `failing` of 20. */
  traffic(failing: number): void {
    const shares = [
      { fromMs: T0 - 10 * MINUTE, toMs: T0 + 75 * SECOND, stable: 180, candidate: 20 },
      // A restart: the first sample after it counts from zero.
      { fromMs: T0 + 80 * SECOND, toMs: T0 + 60 * MINUTE, stable: 20, candidate: 20 },
    ]
    for (const cluster of CLUSTERS) {
      for (const { stable, candidate, ...when } of shares) {
        const span = { cluster, ...when, everyMs: 5 * SECOND }
        putRequests(this.metrics, { ...span, version: 'v1', each: stable, base: stable })
        putRequests(this.metrics, { ...span, version: 'v2', each: candidate - failing, base: candidate - failing })
        if (failing === 0) continue
        putRequests(this.metrics, { ...span, version: 'v2', code: '500', each: failing, base: failing })
      }
    }
  }

  /** Follows a rollout: each step when it is due, routes live at once. Gives the phases and weights. */
  async follow(limit = 200): Promise<readonly string[]> {
    const seen: string[] = []
    for (let pass = 0; pass < limit; pass += 1) {
      const due = this.rollout()?.nextAttemptAt
      if (due === undefined) break
      this.now = Math.max(this.now, Date.parse(due))
      await this.advance()
      for (const cluster of CLUSTERS) this.goLive(cluster)
      const rollout = this.rollout()
      const state = rollout ? `${rollout.phase} ${rollout.weight}` : 'ended'
      if (seen.at(-1) !== state) seen.push(state)
    }
    return seen
  }

  /** What reconcile does when all is well: the route of the newest revision is written and has settled. */
  private goLive(cluster: string): void {
    const { renderRevision: liveRevision } = this.service()
    if (this.store.get('placement', `shop/web/${cluster}`).liveRevision >= liveRevision) return
    const liveAt = timestamp(this.now)
    this.store.change('placement', `shop/web/${cluster}`, (placement) => ({ ...placement, liveRevision, liveAt }))
  }
}
