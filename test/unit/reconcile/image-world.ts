import type { KubeObject } from '../../../src/model/kube.ts'
import type { Rollout, RolloutPhase, RolloutTarget } from '../../../src/model/rollout.ts'
import type { ServiceSpec } from '../../../src/model/service.ts'
import { rollout, serviceDocument, World } from './world.ts'

const CONTAINERS = [{ name: 'web', image: 'registry.example.com/web:1' }]

/** The Deployment of stable version v1, with so many Pods. */
export function stableDeployment(replicas: number, change: Partial<KubeObject['metadata']> = {}): KubeObject {
  const labels = { app: 'web', version: 'v1' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web-v1', namespace: 'shop', labels, ...change },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate' },
      template: { metadata: { labels }, spec: { containers: CONTAINERS } },
    },
  }
}

/** Service shop/web with v1 stable on ten Pods of a Deployment, and a rollout that makes v3 from image web:3. */
export class ImageWorld extends World {
  constructor() {
    super()
    this.cluster.edit('kubectl', stableDeployment(10))
    const selector = { app: 'web' }
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } }
    this.cluster.edit('kubectl', { ...service, spec: { selector } })
    this.versions({ v3: { labels: { version: 'v3' }, workload: 'web-v3' } })
    this.setPods({ v1: 10 })
    this.cluster.forget()
  }

  versions(more: ServiceSpec['versions']): void {
    this.spec({ versions: { v1: { labels: { version: 'v1' } }, ...more } })
  }

  /** The rollout in a phase; raises the render revision. */
  image(phase: RolloutPhase, target: Partial<RolloutTarget> = {}, change: Partial<Rollout> = {}): void {
    this.service((before) => {
      const renderRevision = before.renderRevision + 1
      const base = rollout(phase, target.weight ?? 0, renderRevision)
      const targets = base.targets.map((one) => ({ ...one, candidate: 'v3', ...target }))
      const image = { images: { '': 'registry.example.com/web:3' }, replicas: 'equal' } as const
      return { renderRevision, rollouts: [{ ...base, candidate: 'v3', image, ...change, targets }] }
    })
  }

  /** The rollout with all Pods of its candidate, at a weight that is live. */
  async at(weight: number): Promise<void> {
    this.image('preflight')
    await this.reconcile()
    this.rollOut()
    this.image('progressing', { weight, highestWeight: weight })
    await this.settle()
    this.cluster.forget()
  }

  /** Ends the rollout: with v3 stable or not, and the loser to be scaled down. */
  end(loser: 'made' | 'source'): void {
    this.service((before) => {
      const version = loser === 'made' ? 'v3' : 'v1'
      const labels = before.spec.versions[version]?.labels ?? {}
      const retired = { east: [{ version, labels, rollout: 'shop.web.k3', made: 'web-v3', loser }] }
      const targets = { east: { stable: loser === 'made' ? 'v1' : 'v3' } }
      return { renderRevision: before.renderRevision + 1, rollouts: [], targets, retired }
    })
  }

  /** Another service of the namespace with stable version v1, whose Kubernetes Service selects Pods of `app`. */
  neighbour(name: string, app: string): void {
    this.store.put(serviceDocument({ name }))
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' } }
    this.cluster.edit('kubectl', { ...service, spec: { selector: { app } } })
  }

  /** As the Deployment controller: every Pod that is wanted is there and ready. */
  rollOut(): void {
    const deployments = [...this.cluster.objects.entries()].filter(([, { kind }]) => kind === 'Deployment')
    for (const [key, object] of deployments) {
      const replicas = Number(object.spec?.replicas ?? 1)
      const status = {
        observedGeneration: object.metadata.generation,
        replicas,
        updatedReplicas: replicas,
        readyReplicas: replicas,
      }
      this.cluster.objects.set(key, { ...object, status })
    }
    this.setPods(
      Object.fromEntries(deployments.map(([, one]) => [one.metadata.name.slice(4), Number(one.spec?.replicas)])),
    )
  }

  get made(): KubeObject | undefined {
    return this.cluster.peek('Deployment', 'web-v3')
  }

  replicas(name: string): unknown {
    return this.cluster.peek('Deployment', name)?.spec?.replicas
  }

  applied(): readonly string[] {
    return this.cluster.forget().filter((request) => request.startsWith('apply'))
  }
}
