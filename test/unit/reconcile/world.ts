import { istio } from '../../../src/mesh/istio/istio.ts'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { findCondition } from '../../../src/model/condition.ts'
import type { ClusterDocument, PlacementDocument, ServiceDocument } from '../../../src/model/documents.ts'
import type { FreezeSpec } from '../../../src/model/freeze.ts'
import { MESHWRIGHT } from '../../../src/model/identity.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import type { Rollout, RolloutPhase } from '../../../src/model/rollout.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import type { CandidateTraffic } from '../../../src/model/step.ts'
import { type ReconcileOutcome, reconcilePlacement } from '../../../src/reconcile/reconcile-placement.ts'
import { FakeClock, FakeCluster, FakeStore } from './fakes.ts'

const AT = '2026-05-01T10:00:00.000Z'

/** Service shop/web on cluster east, with two versions whose Pods are ready. */
export class World {
  readonly clock = new FakeClock()
  readonly store = new FakeStore()
  readonly cluster = new FakeCluster()
  readonly deps = {
    store: this.store,
    clusters: this.cluster,
    clock: this.clock,
    random: { next: () => 0.5, uuid: () => '00000000-0000-4000-8000-000000000000' },
  }

  constructor() {
    this.store.put(clusterDocument())
    this.store.put(serviceDocument())
    this.cluster.edit('kubectl', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { 'istio-injection': 'enabled' } },
    })
    this.setPods({ v1: 2, v2: 1 })
    this.cluster.forget()
  }

  /** Gives each version so many ready Pods, with labels `version` and `track`. */
  setPods(ready: Readonly<Record<string, number>>): void {
    for (const [key, object] of this.cluster.objects) if (object.kind === 'Pod') this.cluster.objects.delete(key)
    const names = Object.entries(ready).flatMap(([version, count]) =>
      Array.from({ length: count }, (_, index) => ({ name: `web-${version}-${index}`, version })),
    )
    for (const { name, version } of names) {
      this.cluster.edit('kubelet', {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name,
          namespace: 'shop',
          labels: { version, track: 'x' },
          annotations: { 'sidecar.istio.io/status': '{}' },
        },
      })
    }
    const endpoints = names.map(({ name }) => ({ conditions: { ready: true }, targetRef: { kind: 'Pod', name } }))
    const labels = { 'kubernetes.io/service-name': 'web' }
    this.cluster.edit('endpointslice-controller', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'shop', labels },
      endpoints,
    })
  }

  service(change: (service: ServiceDocument) => Partial<ServiceDocument>): void {
    const before = this.store.peek('service', 'shop/web')
    if (!before) throw new Error('no service')
    this.store.put({ ...before, ...change(before) })
  }

  /** A new spec, as PUT makes it. */
  spec(change: Readonly<Record<string, unknown>>): void {
    this.service((before) => ({
      spec: serviceSpec.parse({ ...before.spec, ...change }),
      generation: before.generation + 1,
      renderRevision: before.renderRevision + 1,
    }))
  }

  /** A live rollout from v1 to v2 in a phase, at a weight, perhaps resumed once; raises the render revision. */
  rollout(phase: RolloutPhase, weight: number, resumedAt?: string): void {
    this.service((before) => {
      const renderRevision = before.renderRevision + 1
      return { renderRevision, rollouts: [rollout(phase, weight, renderRevision, resumedAt)] }
    })
  }

  /** As `rollout`, with all the traffic that is asked for its candidate. */
  traffic(phase: RolloutPhase, traffic: CandidateTraffic, affinity?: Rollout['affinity']): void {
    this.rollout(phase, traffic.weight)
    this.service(({ rollouts }) => ({
      rollouts: rollouts.map((rollout) => ({
        ...rollout,
        ...(affinity ? { affinity } : {}),
        targets: rollout.targets.map((target) => ({ ...target, highestWeight: 1, ...traffic })),
      })),
    }))
  }

  freeze(spec: FreezeSpec): void {
    const base = { schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] }
    this.store.put({ ...base, kind: 'freeze', name: 'holiday', spec })
  }

  reconcile(): Promise<ReconcileOutcome> {
    return reconcilePlacement(this.deps, { service: 'shop/web', cluster: 'east' })
  }

  /** Reconciles, as the placement's messages ask, until none is due or `limit` passes were made. */
  async settle(limit = 20): Promise<ReconcileOutcome> {
    let outcome = await this.reconcile()
    for (let pass = 1; outcome.again !== undefined && pass < limit; pass += 1) {
      this.clock.at = Math.max(this.clock.at, Date.parse(outcome.again))
      outcome = await this.reconcile()
    }
    return outcome
  }

  /** The placement; throws when there is none. */
  get placement(): PlacementDocument {
    const found = this.store.peek('placement', 'shop/web/east')
    if (!found) throw new Error('no placement')
    return found
  }

  /** `True WeightChanged`: status and reason of a condition; undefined when it was never set. */
  condition(type: string): string | undefined {
    const found = findCondition(this.placement.conditions, type)
    return found && `${found.status} ${found.reason}`
  }

  message(type: string): string {
    return findCondition(this.placement.conditions, type)?.message ?? ''
  }

  events(): readonly string[] {
    return this.placement.outbox.flatMap((entry) => (entry.kind === 'event' ? [entry.event.type] : []))
  }

  work(): readonly string[] {
    return this.placement.outbox.flatMap((entry) =>
      entry.kind === 'work' ? [`${entry.queue} ${entry.message.kind}`] : [],
    )
  }

  /** Weights of the VirtualService as it is. */
  get weights(): Readonly<Record<string, number>> | undefined {
    const route = this.cluster.peek('VirtualService', 'web')
    if (!route) return undefined
    return Object.fromEntries((httpOf(route).at(-1)?.route ?? []).map((part) => [part.destination.subset, part.weight]))
  }

  /** `match v2`: what the VirtualService as it is sends to versions besides their weights. */
  get sideRoutes(): readonly string[] {
    const route = this.cluster.peek('VirtualService', 'web')
    return route ? istio.liveSideRoutes(route).map(({ kind, version }) => `${kind} ${version}`) : []
  }

  /** Sets weights as another manager. */
  moveWeights(manager: string, weights: Readonly<Record<string, number>>): void {
    this.cluster.change(manager, 'VirtualService', 'web', (object) => {
      const moved = httpOf(object).map((entry) => ({
        ...entry,
        route: entry.route.map((part) => ({ ...part, weight: weights[part.destination.subset] ?? part.weight })),
      }))
      return { ...object, spec: { ...object.spec, http: moved } }
    })
  }

  annotate(kind: string, name: string, annotations: Readonly<Record<string, string>>): void {
    this.cluster.change('kubectl-annotate', kind, name, (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
    }))
  }
}

interface Http {
  readonly route: readonly { readonly destination: { readonly subset: string }; readonly weight: number }[]
}

function httpOf(object: KubeObject): readonly Http[] {
  return (object.spec?.http ?? []) as Http[]
}

export function foreignRoute(name: string, change: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace: 'shop', ...change },
    spec: { hosts: ['web'], http: [{ route: [{ destination: { host: 'web' } }] }] },
  }
}

export function clusterDocument(change: Partial<ClusterDocument> = {}): ClusterDocument {
  return {
    schema: 1,
    outbox: [],
    createdAt: AT,
    updatedAt: AT,
    kind: 'cluster',
    name: 'east',
    spec: clusterSpec.parse({ kubeconfig: { context: 'east' } }),
    generation: 1,
    idempotency: [],
    observedGeneration: 1,
    conditions: [],
    mesh: { provider: 'istio', namespace: 'istio-system' },
    attempts: 0,
    ...change,
  }
}

export function serviceDocument(change: Partial<ServiceDocument> = {}): ServiceDocument {
  return {
    schema: 1,
    outbox: [],
    createdAt: AT,
    updatedAt: AT,
    kind: 'service',
    namespace: 'shop',
    name: 'web',
    spec: serviceSpec.parse({
      team: 'shop',
      ports: [{ name: 'http', port: 80, protocol: 'http' }],
      versions: { v1: { labels: { version: 'v1' } }, v2: { labels: { version: 'v2' } } },
      initialVersion: 'v1',
      clusters: ['east'],
    }),
    generation: 1,
    idempotency: [],
    renderRevision: 100,
    targets: { east: { stable: 'v1' } },
    leaving: [],
    rollouts: [],
    ...change,
  }
}

export function rollout(phase: RolloutPhase, weight: number, revision: number, resumedAt?: string): Rollout {
  const resumed = {
    from: 'paused',
    to: phase,
    actor: MESHWRIGHT,
    reason: 'Resumed',
    message: '',
    step: 0,
    weight,
  } as const
  return {
    id: 'shop.web.k3',
    phase,
    reason: 'Started',
    message: '',
    actor: MESHWRIGHT,
    candidate: 'v2',
    targets: [{ cluster: 'east', stable: 'v1', candidate: 'v2', weight, observedWeight: null }],
    strategy: 'default',
    steps: [],
    gates: [],
    bakeMs: 0,
    patienceMs: 0,
    readyTimeoutMs: 0,
    onBlind: 'pause',
    alpha: 0.01,
    minEvents: 50,
    step: 0,
    weight,
    revision,
    phaseSince: AT,
    weightSince: AT,
    progress: [],
    warnings: [],
    history: resumedAt === undefined ? [] : [{ ...resumed, at: resumedAt }],
    startedAt: AT,
    updatedAt: AT,
  }
}
