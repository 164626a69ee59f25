import { kubernetesClusters } from '../../../src/adapters/kubernetes/cluster-apis.ts'
import type { CaRotation } from '../../../src/model/ca-rotation.ts'
import type { FreezeDocument, MeshCaDocument, TrustDocument } from '../../../src/model/documents.ts'
import { freezeSpec } from '../../../src/model/freeze.ts'
import { MESHWRIGHT } from '../../../src/model/identity.ts'
import { meshCaSpec } from '../../../src/model/mesh-ca.ts'
import { timestamp } from '../../../src/model/names.ts'
import type { RestartsState } from '../../../src/model/restarts.ts'
import type { ClusterApi } from '../../../src/ports/cluster-api.ts'
import { restartWorkloads } from '../../../src/reconcile/restarts/restart-workloads.ts'
import type { User } from '../../../src/sandbox/emulators/kubernetes/access.ts'
import { kubernetesEmulator } from '../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../src/sandbox/storage.ts'
import { kubernetesTransport } from '../../../src/sandbox/transports/kubernetes-transport.ts'
import { seededChance } from '../../../src/sandbox/world/chance.ts'
import { istioInjector } from '../../../src/sandbox/world/injector.ts'
import { runRestarts } from '../../../src/sandbox/world/restart-runner.ts'
import { createWorld } from '../../../src/sandbox/world/world.ts'
import { FakeStore } from '../../unit/reconcile/fakes.ts'
import { meshCaDocument } from '../../unit/reconcile/trust/trust-world.ts'
import { clusterDocument } from '../../unit/reconcile/world.ts'
import { kubeconfigText } from '../cluster-api/kubeconfig-text.ts'

const START = Date.parse('2026-05-01T10:00:00.000Z')
const MINUTE = 60_000
export const OLDER_THAN = timestamp(START + 10 * MINUTE)

/** A worker that dies where it is. */
export class Crash extends Error {}

/**
 * Cluster east behind the real client, with controllers that replace Pods one after the other, 1.5 s each; and the CA of its
 * mesh, whose rotation waits in `trusting` and wants Pods restarted that are older than ten minutes after the start.
 */
export class RestartsWorld {
  now = START
  readonly store = new FakeStore()
  /** PATCHes of the cluster: kind and name. */
  readonly patches: string[] = []
  /** Paths that were read. */
  readonly lists: string[] = []
  /** Called before and after each write of the cluster; may throw. */
  before: (name: string) => void = () => undefined
  after: (name: string) => void = () => undefined
  /** Each pass comes after a look, as those of workers do. */
  isLookedAt = true
  /** Controllers make no Pods. */
  isStopped = false
  user: User = { user: 'admin', groups: ['system:masters'] }
  readonly kubernetes: ReturnType<typeof kubernetesEmulator>
  private readonly runner: { advance(): void }
  private readonly clusters: ReturnType<typeof kubernetesClusters>

  constructor() {
    const context = { now: () => this.now, random: seededChance(1).next, storage: memoryStorage() }
    this.kubernetes = kubernetesEmulator(context, { tokens: {}, signIn: () => this.user })
    const world = createWorld({ ...context, routes: { rules: () => undefined } })
    world.putCluster('east')
    const { kubernetes } = this
    this.runner = runRestarts({ world, cluster: 'east', kubernetes, injector: istioInjector, now: context.now })
    const http = kubernetesTransport((request) => {
      if (request.method === 'GET') this.lists.push(new URL(request.url, 'https://east.test').pathname)
      return kubernetes.handle(request)
    })
    const kubeconfig = { text: kubeconfigText('https://east.test', 't'), folder: '/' }
    this.clusters = kubernetesClusters({ kubeconfig, http }, this.clock)
    this.store.put(clusterDocument())
    this.store.put(meshCa())
    this.store.put(trustDocument())
  }

  /** No deadline passes within a request. */
  readonly clock = { now: () => this.now, sleep: () => new Promise<void>(() => undefined) }

  /** A workload with sidecars that runs since before. */
  seed(kind: string, namespace: string, name: string, spec: object = {}, metadata: object = {}): void {
    const labels = { app: name, 'sidecar.istio.io/inject': 'true' }
    const template = { metadata: { labels }, spec: { containers: [{ name, image: 'registry.example.com/a:1' }] } }
    const annotations = kind === 'Deployment' ? { 'sandbox.meshwright.io/pods': 'true' } : {}
    this.kubernetes.seed([
      {
        apiVersion: 'apps/v1',
        kind,
        metadata: { name, namespace, annotations, ...metadata },
        spec: { replicas: 2, selector: { matchLabels: { app: name } }, template, ...spec },
      },
    ])
  }

  /** Deployments of namespaces n1, n2 … with two Pods each. */
  seedMany(count: number): void {
    for (let index = 1; index <= count; index += 1) this.seed('Deployment', `n${index}`, 'web')
  }

  /** Everything runs since the start, and the moment has passed. */
  settle(): void {
    for (let turn = 0; turn < 10; turn += 1) this.pass(1500)
    this.now = START + 20 * MINUTE
  }

  pass(ms: number): void {
    this.now += ms
    if (!this.isStopped) this.runner.advance()
  }

  /** What a look at the cluster records. */
  look(change: Partial<TrustDocument> = {}): void {
    const trust = this.store.peek('trust', 'east-ca') ?? trustDocument()
    this.store.put({ ...trust, lookedAt: timestamp(this.now), ...change })
  }

  /** One pass of a worker. */
  restart(): Promise<void> {
    const connect = async (cluster: Parameters<typeof this.clusters.connect>[0]): Promise<ClusterApi> => {
      const api = await this.clusters.connect(cluster)
      return {
        ...api,
        apply: async (object, options) => {
          const name = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`
          this.before(name)
          const applied = await api.apply(object, options)
          this.patches.push(name)
          this.after(name)
          return applied
        },
      }
    }
    if (this.isLookedAt) this.look()
    return restartWorkloads({ store: this.store, clock: this.clock, clusters: { connect } }, { ca: 'east-ca' })
  }

  /** Passes of a worker, ten seconds apart, in which controllers work. */
  async live(passes: number, each: () => void = () => undefined): Promise<void> {
    for (let turn = 0; turn < passes; turn += 1) {
      await this.restart()
      each()
      for (let ms = 0; ms < 10_000; ms += 1000) this.pass(1000)
    }
  }

  ca(change: Partial<MeshCaDocument>): void {
    this.store.put({ ...(this.store.peek('mesh-ca', 'east-ca') ?? meshCa()), ...change })
  }

  rotation(change: Partial<CaRotation>): void {
    this.ca({ rotation: { ...rotation(), ...change } })
  }

  freeze(): void {
    const spec = freezeSpec.parse({ reason: 'sale', covers: ['configuration'], scope: { clusters: ['east'] } })
    const at = timestamp(this.now)
    const freeze: FreezeDocument = {
      ...{ schema: 1, outbox: [], createdAt: at, updatedAt: at, generation: 1, idempotency: [] },
      ...{ kind: 'freeze', name: 'sale', spec },
    }
    this.store.put(freeze)
  }

  /** What Azure says of the cluster. */
  azure(change: object): void {
    const aks = { powerState: 'Running', provisioningState: 'Succeeded', ...change }
    this.store.put({ ...clusterDocument(), aks: aks as never })
  }

  /** As `kubectl rollout restart` of every Deployment. */
  restartAll(): void {
    for (const { status: _status, ...one } of this.kubernetes.list('apps/v1', 'Deployment')) {
      const spec = one.spec as { readonly template: { readonly metadata: object } }
      const { template } = spec
      const annotations = { 'kubectl.kubernetes.io/restartedAt': timestamp(this.now) }
      const metadata = { ...template.metadata, annotations }
      this.kubernetes.seed([{ ...one, spec: { ...spec, template: { ...template, metadata } } } as never])
    }
  }

  thaw(): void {
    this.store.documents.delete('freeze sale')
  }

  get restarts(): RestartsState | undefined {
    return this.store.peek('trust', 'east-ca')?.restarts
  }

  underWay(): readonly string[] {
    return (this.restarts?.underWay ?? []).map(({ namespace, name }) => `${namespace}/${name}`)
  }

  /** Events that were told, in order. */
  events(): readonly { type: string; reason: string; message: string }[] {
    return (this.store.peek('trust', 'east-ca')?.outbox ?? []).flatMap((entry) =>
      entry.kind === 'event' ? [entry.event] : [],
    )
  }

  pods(): readonly { name: string; isOld: boolean }[] {
    return this.kubernetes.list('v1', 'Pod').map(({ metadata: { name = '', creationTimestamp = '' } }) => {
      return { name, isOld: Date.parse(creationTimestamp) <= Date.parse(OLDER_THAN) }
    })
  }
}

function rotation(): CaRotation {
  const at = timestamp(START)
  return {
    id: 'r1',
    what: 'root',
    phase: 'trusting',
    direction: 'on',
    reason: 'WaitsForProxies',
    message: '',
    actor: MESHWRIGHT,
    takenAt: at,
    restarting: { olderThan: OLDER_THAN },
    startedAt: at,
    phaseSince: at,
    attempts: 0,
  }
}

function meshCa(): MeshCaDocument {
  const root = { kind: 'vault-key' } as const
  const spec = meshCaSpec.parse({ purpose: 'mesh-ca', cluster: 'east', root, restarts: {} })
  return meshCaDocument({ spec, rotation: rotation() })
}

function trustDocument(): TrustDocument {
  const at = timestamp(START)
  const seen = { state: 'seen', reason: 'Looked', message: '', bundles: [], without: [], pods: { count: 0 } } as const
  const base = { schema: 1, outbox: [], createdAt: at, updatedAt: at, attempts: 0 }
  return { ...base, ...seen, kind: 'trust', ca: 'east-ca', cluster: 'east' }
}
