import { canonicalJson } from '../../../../src/model/digest.ts'
import type { ServiceDocument } from '../../../../src/model/documents.ts'
import { servicePolicy } from '../../../../src/model/policy/service-policy.ts'
import { putService } from '../../../../src/services/put-service.ts'
import { advanceWords } from '../../../../src/services/words/advance-words.ts'
import { AT, aCluster, aPlacement, aService, aTeam, by, condition, spec } from '../../fakes/documents.ts'
import { FakeMetrics } from '../../fakes/fake-metrics.ts'
import { MemoryStore } from '../../fakes/memory-store.ts'

const KEY = 'shop/web'

/** shop/web on clusters without a cluster: what reconcile would do is done to placements. Time passes only in `turn`. */
export class Words {
  readonly store = new MemoryStore({ relaying: true })
  time = Date.parse(AT)
  /** Clusters that do not come to carry what is asked of them, and what they say. */
  readonly broken = new Map<string, string>()
  /** The policy that each cluster carries. */
  readonly carried = new Map<string, string>()
  /** How often each cluster was asked to do something. */
  readonly asked: string[] = []
  readonly deps = {
    store: this.store,
    metrics: new FakeMetrics(),
    clock: { now: () => this.time, sleep: async () => undefined },
  }
  private taken = 0

  constructor(clusters: readonly string[], own: Readonly<Record<string, unknown>> = {}) {
    this.store.put(aTeam())
    for (const name of clusters) this.store.put(aCluster(name))
    const targets = Object.fromEntries(clusters.map((name) => [name, { stable: 'v1' }]))
    this.store.put(aService({ spec: spec({ clusters, ...own }), targets }))
    for (const name of clusters) this.reconcile(name)
  }

  get service(): ServiceDocument {
    return this.store.get('service', KEY)
  }

  put(change: Readonly<Record<string, unknown>>) {
    return putService(this.deps, 'shop', 'web', spec({ clusters: this.service.spec.clusters, ...change }), by())
  }

  /** `east 9s`: the timeout that each cluster is to have. */
  timeouts(): readonly string[] {
    return this.clusters().map((name) => `${name} ${this.wanted(name).traffic?.timeout ?? '-'}`)
  }

  /** Clusters that carry what they are to have once all waves were let go. */
  whole(): boolean {
    const { spread: _, ...newest } = this.service
    return this.clusters().every((name) => {
      const policy = servicePolicy(newest, this.store.get('cluster', name)).policy
      return this.carried.get(name) === canonicalJson(policy)
    })
  }

  clusters(): readonly string[] {
    return Object.keys(this.service.targets).sort()
  }

  wanted(cluster: string) {
    return servicePolicy(this.service, this.store.get('cluster', cluster)).policy
  }

  /** Does the work that was asked for, then lets time go by until the change is looked at again. */
  async turn(): Promise<void> {
    this.work()
    this.time += 5000
    const dueAt = this.store.peek('service', KEY)?.dueAt
    if (dueAt !== undefined) this.time = Math.max(this.time, Date.parse(dueAt))
    const advanced = await advanceWords(this.deps, KEY)
    if (!advanced.ok) throw new Error(advanced.failure.detail)
  }

  async untilWhole(most = 40): Promise<void> {
    for (let turn = 0; turn < most && this.service.spread; turn += 1) await this.turn()
    this.work()
  }

  work(): void {
    const sent = this.store.sent.slice(this.taken)
    this.taken = this.store.sent.length
    for (const { message } of sent) {
      if (message.kind !== 'reconcile') continue
      this.asked.push(message.cluster)
      this.reconcile(message.cluster)
    }
  }

  /** A pass over a cluster, whoever asks for it. */
  reconcile(cluster: string): void {
    if (!Object.hasOwn(this.service.targets, cluster)) return
    const trouble = this.broken.get(cluster)
    const { renderRevision, generation } = this.service
    const before = this.store.peek('placement', `${KEY}/${cluster}`)
    if (trouble === undefined) this.carried.set(cluster, canonicalJson(this.wanted(cluster)))
    const state =
      trouble === undefined
        ? {
            liveRevision: renderRevision,
            appliedRevision: renderRevision,
            observedGeneration: generation,
            conditions: [condition('Ready', 'True', 'Live')],
            liveAt: new Date(this.time).toISOString(),
          }
        : { conditions: [condition('Ready', 'False', 'Conflict', trouble)] }
    this.store.put(aPlacement(cluster, { ...before, ...state }))
  }
}
