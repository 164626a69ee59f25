import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import type { RolloutPhase } from '../../../src/model/rollout.ts'
import { serviceSpec } from '../../../src/model/service.ts'
import type { ClusterApi } from '../../../src/ports/cluster-api.ts'
import { planPlacement } from '../../../src/reconcile/plan.ts'
import { reconcilePlacement } from '../../../src/reconcile/reconcile-placement.ts'
import { FakeClock, FakeStore } from '../../unit/reconcile/fakes.ts'
import { clusterDocument, rollout, serviceDocument } from '../../unit/reconcile/world.ts'
import type { OpenedCluster } from '../cluster-api/suite.ts'
import { kubeService, podsOf, stable } from './objects.ts'

/**
 * What reconcile does with Deployments, on an API server that keeps to server-side apply: Istio's kinds, a caller who may do
 * everything, and nobody who makes Pods: the suite does.
 */
export function imageContract(name: string, open: () => Promise<OpenedCluster>): void {
  describe(`releases by image on ${name}`, () => {
    let site: Site
    beforeAll(async () => {
      site = new Site(await open())
      await site.prepare()
    })
    afterAll(() => site?.opened.close())

    it('are planned by a dry run that keeps nothing', async () => {
      site.rollout('pending', 0)
      const { changes, findings } = await site.plan()
      expect(changes[0]).toMatchObject({ ref: { kind: 'Deployment', name: 'web-v3' }, action: 'create' })
      expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
      await expect(site.deployment('web-v3')).rejects.toThrow('no Deployment')
    })

    it('copy the Deployment of stable whole, and nothing that others keep on it', async () => {
      site.rollout('preflight', 0)
      await site.settle(3)
      const [source, copy] = [await site.deployment('web-v1'), await site.deployment('web-v3')]
      expect(copy.metadata.labels).toEqual({ version: 'v3', 'app.kubernetes.io/managed-by': 'meshwright' })
      expect(copy.metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration')
      expect(copy.spec?.selector).toEqual({ matchLabels: { app: 'web', version: 'v3' } })
      expect(templateOf(copy)).toEqual(
        JSON.parse(JSON.stringify(templateOf(source)).replaceAll('"v1"', '"v3"').replace('web:1', 'web:3')),
      )
      expect(copy.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
        'meshwright Apply',
      ])
    })

    it('write nothing where nothing is to be changed', async () => {
      const before = await site.deployment('web-v3')
      await site.reconcile()
      expect((await site.deployment('web-v3')).metadata.resourceVersion).toBe(before.metadata.resourceVersion)
    })

    it('raise the number of Pods, whoever set it, and nothing else', async () => {
      await site.scaleByHand('web-v3', 1)
      await site.setPods({ v1: 4, v3: 1 })
      const before = await site.deployment('web-v3')
      site.rollout('progressing', 60)
      expect((await site.reconcile()).reason).toBe('WaitingForReplicas')
      const after = await site.deployment('web-v3')
      expect(after.spec).toEqual({ ...before.spec, replicas: 3 })
      expect(after.metadata.annotations?.['meshwright.io/revision']).toBe('103')
      await site.setPods({ v1: 4, v3: 3 })
      expect((await site.settle()).state).toBe('live')
    })

    it('scale stable’s Deployment down by its number of Pods alone', async () => {
      const before = await site.deployment('web-v1')
      site.end()
      await site.settle()
      const after = await site.deployment('web-v1')
      expect(after.spec).toEqual({ ...before.spec, replicas: 0 })
      expect(after.metadata.labels).toEqual(before.metadata.labels)
      const ours = after.metadata.managedFields?.find(({ manager }) => manager === 'meshwright')
      expect(ours?.fieldsV1?.['f:spec']).toEqual({ 'f:replicas': {} })
      expect(site.store.peek('placement', 'shop/web/east')?.scaledDown).toMatchObject([{ status: 'done' }])
    })

    it('scale one that was made down whole: nothing of it is dropped', async () => {
      const before = await site.deployment('web-v3')
      site.end('made')
      await site.settle()
      const after = await site.deployment('web-v3')
      expect(after.spec).toEqual({ ...before.spec, replicas: 0 })
    })

    it('leave a Deployment that was made when the service goes, without our marks', async () => {
      await site.scaleByHand('web-v3', 2)
      const before = await site.deployment('web-v3')
      site.change({ targets: {}, leaving: ['east'] })
      expect((await site.settle()).state).toBe('removed')
      const after = await site.deployment('web-v3')
      expect(after.spec).toEqual(before.spec)
      expect(after.metadata.labels).toEqual({ version: 'v3' })
      expect(after.metadata.annotations ?? {}).not.toHaveProperty('meshwright.io/service')
      const ours = after.metadata.managedFields?.find(({ manager }) => manager === 'meshwright')
      expect(ours?.fieldsV1?.['f:spec']).toHaveProperty('f:template')
      expect(ours?.fieldsV1?.['f:spec']).not.toHaveProperty('f:replicas')
    })
  })
}

function templateOf(deployment: KubeObject): unknown {
  return (deployment.spec as { template: unknown }).template
}

/** A cluster with stable version v1 on four Pods, and the documents of service shop/web. */
class Site {
  readonly store = new FakeStore()
  readonly clock = new FakeClock()
  readonly opened: OpenedCluster

  constructor(opened: OpenedCluster) {
    this.opened = opened
  }

  async prepare(): Promise<void> {
    await this.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    await this.post('/api/v1/namespaces/shop/services', kubeService())
    await this.post('/apis/apps/v1/namespaces/shop/deployments?fieldManager=kubectl', stable())
    await this.setPods({ v1: 4 })
    const versions = { v1: { labels: { version: 'v1' } }, v3: { labels: { version: 'v3' }, workload: 'web-v3' } }
    const { spec } = serviceDocument()
    this.store.put(clusterDocument())
    this.store.put(serviceDocument({ spec: serviceSpec.parse({ ...spec, versions }) }))
    await this.settle()
  }

  private async post(path: string, body: object): Promise<void> {
    const { status, body: answer } = await this.opened.request('POST', path, body)
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${JSON.stringify(answer)}`)
  }

  change(change: Parameters<typeof serviceDocument>[0]): void {
    const before = this.store.peek('service', 'shop/web')
    if (!before) throw new Error('no service')
    this.store.put({ ...before, renderRevision: before.renderRevision + 1, ...change })
  }

  rollout(phase: RolloutPhase, weight: number): void {
    const image = { images: { web: 'registry.example.com/web:3' }, replicas: 'weight' } as const
    const base = rollout(phase, weight, 0)
    const targets = base.targets.map((target) => ({ ...target, candidate: 'v3', highestWeight: weight }))
    this.change({ rollouts: [{ ...base, candidate: 'v3', image, targets }] })
  }

  /** Ends the rollout. Stable’s Deployment has lost, or at last the one that was made. */
  end(loser: 'source' | 'made' = 'source'): void {
    const [version, stable] = loser === 'source' ? ['v1', 'v3'] : ['v3', 'v1']
    const entry = { version, labels: { version }, rollout: 'shop.web.k3', made: 'web-v3', loser }
    this.change({ rollouts: [], targets: { east: { stable } }, retired: { east: [entry] } })
  }

  private get deps() {
    return {
      store: this.store,
      clock: this.clock,
      clusters: { connect: async () => readingAnew(this.opened.api) },
      random: { next: () => 0.5, uuid: () => '00000000-0000-4000-8000-000000000000' },
    }
  }

  reconcile() {
    return reconcilePlacement(this.deps, { service: 'shop/web', cluster: 'east' })
  }

  plan() {
    const service = this.store.peek('service', 'shop/web')
    if (!service) throw new Error('no service')
    return planPlacement(this.deps, service, 'east')
  }

  /** Reconciles, at the times that it asks for, until it asks for none or `limit` passes were made. */
  async settle(limit = 20) {
    let outcome = await this.reconcile()
    for (let pass = 1; outcome.again !== undefined && pass < limit; pass += 1) {
      this.clock.at = Math.max(this.clock.at, Date.parse(outcome.again))
      outcome = await this.reconcile()
    }
    return outcome
  }

  async deployment(name: string): Promise<KubeObject> {
    const found = await this.opened.api.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name })
    if (!found) throw new Error(`no Deployment ${name}`)
    return found
  }

  /** As `kubectl scale` does. */
  async scaleByHand(name: string, replicas: number): Promise<void> {
    const path = `/apis/apps/v1/namespaces/shop/deployments/${name}?fieldManager=kubectl`
    const { status } = await this.opened.request('PATCH', path, { spec: { replicas } }, 'application/merge-patch+json')
    expect(status).toBe(200)
  }

  /** Ready Pods by version, as controllers and kubelets would have them. */
  async setPods(counts: Readonly<Record<string, number>>): Promise<void> {
    const { request } = this.opened
    for (const { path, body } of podsOf(counts)) {
      const made = await request('POST', path, body)
      if (made.status === 409) await request('PATCH', `${path}/${body.metadata.name}`, body, MERGE)
      else if (made.status >= 300) throw new Error(`${path}: ${made.status} ${JSON.stringify(made.body)}`)
    }
    for (const [version, replicas] of Object.entries(counts)) {
      const path = `/apis/apps/v1/namespaces/shop/deployments/web-${version}`
      const { generation } = (await this.deployment(`web-${version}`)).metadata
      const status = { observedGeneration: generation, replicas, updatedReplicas: replicas, readyReplicas: replicas }
      const answer = await request('PATCH', `${path}/status?fieldManager=controller`, { status }, MERGE)
      expect(answer.status).toBe(200)
    }
  }
}

/** The clock of the suite jumps; that of the client does not, so what it has read a moment ago would be old. */
function readingAnew(api: ClusterApi): ClusterApi {
  return {
    get: (ref) => api.get(ref),
    list: (kind, { maxAgeMs: _, ...options } = {}) => api.list(kind, options),
    listMetadata: (kind, { maxAgeMs: _, ...options } = {}) => api.listMetadata(kind, options),
    apply: (object, options) => api.apply(object, options),
    remove: (ref, uid, resourceVersion) => api.remove(ref, uid, resourceVersion),
    podLog: (pod, options) => api.podLog(pod, options),
    version: () => api.version(),
    mayI: (question) => api.mayI(question),
  }
}

const MERGE = 'application/merge-patch+json'
