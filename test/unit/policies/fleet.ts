import type { ServiceDocument } from '../../../src/model/documents.ts'
import { splitServiceKey } from '../../../src/model/service.ts'
import { advanceSpread } from '../../../src/policies/advance-spread.ts'
import { AT, aPlacement, aService, condition } from '../fakes/documents.ts'
import { FakeMetrics } from '../fakes/fake-metrics.ts'
import { MemoryStore } from '../fakes/memory-store.ts'

const SETTLE_MS = 5000

/** Services on clusters without a cluster: what reconcile would do is done to placements. Time passes only in `pass`. */
export class Fleet {
  readonly store = new MemoryStore({ relaying: true })
  time = Date.parse(AT)
  /** Placements that do not become live, and what they say. */
  readonly broken = new Map<string, string>()
  readonly metrics = new FakeMetrics()
  readonly deps = {
    store: this.store,
    metrics: this.metrics,
    clock: { now: () => this.time, sleep: async () => undefined },
  }
  private taken = 0
  private readonly keys = new Set<string>()

  /** Puts services there, live on their clusters. */
  add(names: readonly string[], change: Partial<ServiceDocument> = {}): void {
    for (const name of names) {
      const service = aService({ name, ...change })
      this.store.put(service)
      for (const cluster of Object.keys(service.targets)) this.live(`shop/${name}`, cluster, service.renderRevision)
    }
  }

  service(name: string): ServiceDocument {
    return this.store.get('service', `shop/${name}`)
  }

  /** `web/east` of the placements that have a copy of the policy, in order. */
  reached(policy: string): readonly string[] {
    return [...this.keys].flatMap((key) => {
      const { name, layers } = this.store.get('service', key)
      const held = (layers ?? []).filter((layer) => layer.name === policy)
      return held.flatMap(({ clusters }) => clusters.map((cluster) => `${name}/${cluster}`))
    })
  }

  /** Does the work that was asked for, then lets time go by until the policy looks again; one turn. */
  async turn(policy: string): Promise<void> {
    const asked = this.store.sent.slice(this.taken)
    this.taken = this.store.sent.length
    this.time += SETTLE_MS
    for (const { message } of asked) {
      if (message.kind !== 'reconcile') continue
      const service = this.store.peek('service', message.service)
      if (service) this.live(message.service, message.cluster, service.renderRevision)
    }
    const dueAt = this.store.peek('policy', policy)?.dueAt
    if (dueAt !== undefined) this.time = Math.max(this.time, Date.parse(dueAt))
    const advanced = await advanceSpread(this.deps, policy)
    if (!advanced.ok) throw new Error(advanced.failure.detail)
  }

  private live(service: string, cluster: string, revision: number): void {
    this.keys.add(service)
    const trouble = this.broken.get(`${splitServiceKey(service).name}/${cluster}`)
    const before = this.store.peek('placement', `${service}/${cluster}`)
    const state =
      trouble === undefined
        ? { liveRevision: revision, conditions: [condition('Ready', 'True', 'Live')] }
        : { conditions: [condition('Ready', 'False', 'Conflict', trouble)] }
    this.store.put(aPlacement(cluster, { ...before, service, ...state, liveAt: new Date(this.time).toISOString() }))
  }
}
