import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { planPlacement } from '../../../src/reconcile/plan.ts'
import { ImageWorld, stableDeployment } from './image-world.ts'
import { autoscaler, deployment } from './workloads.ts'
import { clusterDocument } from './world.ts'

let world: ImageWorld
beforeEach(async () => {
  world = new ImageWorld()
  await world.settle()
  world.cluster.forget()
})

describe('the Deployment of a candidate that is made from an image', () => {
  it('is stable’s with other images, labels and a selector of its own, and bears our marks and none of others', async () => {
    const foreign = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'kept out too' }
    world.cluster.edit('kubectl', stableDeployment(10, { annotations: foreign }))
    world.image('preflight')
    await world.reconcile()
    expect(world.made?.metadata).toMatchObject({
      labels: { version: 'v3', 'app.kubernetes.io/managed-by': 'meshwright' },
      annotations: {
        'meshwright.io/revision': '102',
        'meshwright.io/service': 'shop/web',
        'meshwright.io/rollout': 'shop.web.k3',
        'meshwright.io/copied-from': 'web-v1@1',
      },
    })
    expect(Object.keys(world.made?.metadata.annotations ?? {})).toHaveLength(4)
    expect(world.made?.spec).toEqual({
      replicas: 10,
      selector: { matchLabels: { app: 'web', version: 'v3' } },
      strategy: { type: 'RollingUpdate' },
      template: {
        metadata: { labels: { app: 'web', version: 'v3' } },
        spec: { containers: [{ name: 'web', image: 'registry.example.com/web:3' }] },
      },
    })
    expect(world.placement.objects.map(({ kind, name }) => `${kind} ${name}`)).toContain('Deployment web-v3')
  })

  it('is not made while the rollout waits for its start', async () => {
    world.image('pending')
    await world.settle(3)
    expect(world.made).toBeUndefined()
    world.service(({ rollouts }) => ({ rollouts: rollouts.map((one) => ({ ...one, phase: 'preflight' as const })) }))
    await world.reconcile()
    expect(world.made).toBeDefined()
  })

  it('stays as it was copied when stable’s is changed meanwhile', async () => {
    await world.at(10)
    world.cluster.change('kubectl', 'Deployment', 'web-v1', (object) => ({
      ...object,
      spec: { ...object.spec, minReadySeconds: 30 },
    }))
    world.image('progressing', { weight: 50, highestWeight: 50 })
    await world.settle()
    expect(world.made?.spec?.minReadySeconds).toBeUndefined()
    expect(world.weights).toEqual({ v1: 50, v3: 50 })
  })

  it('has the Pods for its share before its share rises, and loses none while the rollout is live', async () => {
    const weigh = { images: { '': 'registry.example.com/web:3' }, replicas: 'weight' } as const
    world.image('preflight', {}, { image: weigh })
    await world.reconcile()
    expect(world.replicas('web-v3')).toBe(1)
    world.rollOut()
    world.image('progressing', { weight: 25, highestWeight: 25, stableReadyAtStart: 10 }, { image: weigh })
    const waits = await world.settle(3)
    expect(world.replicas('web-v3')).toBe(3)
    expect(waits.reason).toBe('WaitingForReplicas')
    expect(world.weights).toEqual({ v1: 100, v3: 0 })
    world.rollOut()
    await world.settle()
    expect(world.weights).toEqual({ v1: 75, v3: 25 })
    // An autoscaler took Pods from stable as its requests went.
    world.cluster.edit('hpa', stableDeployment(4))
    world.image('progressing', { weight: 50, highestWeight: 50, stableReadyAtStart: 10 }, { image: weigh })
    await world.reconcile()
    expect(world.replicas('web-v3')).toBe(5)
    world.rollOut()
    world.image('paused', { weight: 25, highestWeight: 50, stableReadyAtStart: 10 }, { image: weigh })
    await world.settle(3)
    expect(world.replicas('web-v3')).toBe(5)
  })

  it('has as many Pods as stable when what it gets is picked by a match', async () => {
    const image = { images: { '': 'registry.example.com/web:3' }, replicas: 'weight' } as const
    const match = [{ headers: { 'x-preview': { exact: 'true' } } }]
    world.image('progressing', { weight: 0, highestWeight: 1, match }, { image })
    await world.reconcile()
    expect(world.replicas('web-v3')).toBe(10)
  })

  it('gets no requests while Pods of an older image are left in it', async () => {
    await world.at(10)
    world.end('made')
    await world.reconcile()
    const images = { '': 'registry.example.com/web:4' }
    world.image('preflight', {}, { id: 'shop.web.k4', image: { images, replicas: 'equal' } })
    await world.reconcile()
    expect(world.made?.metadata.annotations?.['meshwright.io/rollout']).toBe('shop.web.k4')
    world.image(
      'progressing',
      { weight: 10, highestWeight: 10 },
      { id: 'shop.web.k4', image: { images, replicas: 'equal' } },
    )
    expect((await world.reconcile()).reason).toBe('WaitingForReplicas')
    expect(world.weights?.v3).toBe(0)
    world.rollOut()
    await world.settle()
    expect(world.weights).toEqual({ v1: 90, v3: 10 })
  })

  it('is scaled by whoever scales it, an autoscaler of its own, and its share waits for the Pods that it needs', async () => {
    await world.at(10)
    world.cluster.edit('kubectl', autoscaler('web-v3', 'web-v3'))
    world.cluster.change('hpa', 'Deployment', 'web-v3', (object) => ({
      ...object,
      spec: { ...object.spec, replicas: 4 },
    }))
    world.rollOut()
    world.image('progressing', { weight: 50, highestWeight: 50 })
    expect((await world.settle(4)).reason).toBe('WaitingForReplicas')
    // Ten Pods are needed, and the autoscaler makes five at most.
    expect(world.message('Ready')).toMatch(/has 4 of 5 Pods ready .* set its minReplicas .* to 5 until/)
    expect(world.weights).toEqual({ v1: 90, v3: 10 })
    expect(world.replicas('web-v3')).toBe(4)
    world.cluster.change('hpa', 'Deployment', 'web-v3', (object) => ({
      ...object,
      spec: { ...object.spec, replicas: 5 },
    }))
    world.rollOut()
    await world.settle()
    expect(world.replicas('web-v3')).toBe(5)
    expect(world.weights).toEqual({ v1: 50, v3: 50 })
  })

  it('is made and raised while a freeze stops configuration, and not while it stops rollouts', async () => {
    world.freeze({ reason: 'sale', scope: {}, covers: ['rollouts'] })
    world.image('preflight')
    expect((await world.reconcile()).reason).toBe('FreezeActive')
    expect(world.made).toBeUndefined()
    world.freeze({ reason: 'sale', scope: {}, covers: ['configuration'] })
    await world.reconcile()
    expect(world.replicas('web-v3')).toBe(10)
    world.rollOut()
    world.cluster.edit('kubectl', stableDeployment(12))
    world.image('progressing', { weight: 10, highestWeight: 10 })
    await world.settle(2)
    expect(world.replicas('web-v3')).toBe(12)
  })

  it('gets its image back when another hand changed it', async () => {
    await world.at(10)
    world.cluster.change('kubectl', 'Deployment', 'web-v3', (object) => ({
      ...object,
      spec: { ...object.spec, template: { spec: { containers: [{ name: 'web', image: 'evil' }] } } },
    }))
    world.image('progressing', { weight: 50, highestWeight: 50 })
    await world.reconcile()
    expect(JSON.stringify(world.made?.spec)).toContain('registry.example.com/web:3')
    expect(world.events()).toContain('placement.drift-restored')
  })

  it('waits for nothing on the way back', async () => {
    await world.at(50)
    world.setPods({ v1: 10 })
    world.cluster.objects.delete('apps/v1/Deployment/shop/web-v3')
    world.image('rolling-back', { highestWeight: 50 })
    await world.reconcile()
    expect(world.weights).toEqual({ v1: 100, v3: 0 })
    expect(world.made).toBeUndefined()
  })

  it('is left to a Meshwright with newer data', async () => {
    world.image('preflight')
    await world.reconcile()
    world.annotate('Deployment', 'web-v3', { 'meshwright.io/revision': '999' })
    world.cluster.edit('kubectl', stableDeployment(12))
    world.image('progressing', { weight: 10 })
    expect((await world.reconcile()).reason).toBe('FencedOff')
  })
})

describe('the Deployment of a candidate is refused', () => {
  const refused: readonly [string, string, () => void][] = [
    [
      'without one of stable',
      'StableWorkloadMissing',
      () => world.cluster.objects.delete('apps/v1/Deployment/shop/web-v1'),
    ],
    [
      'when two could be the pattern',
      'StableWorkloadAmbiguous',
      () => world.cluster.edit('kubectl', deployment('web-blue', { app: 'web', version: 'v1' })),
    ],
    [
      'when Argo CD owns stable’s',
      'WorkloadOwnedByTool',
      () =>
        world.cluster.edit('kubectl', stableDeployment(2, { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } })),
    ],
    [
      'when the name is taken',
      'WorkloadExists',
      () => world.cluster.edit('kubectl', deployment('web-v3', { app: 'other', version: 'v9' })),
    ],
    [
      'when stable’s selector would take its Pods',
      'SelectorCatchesCandidate',
      () => {
        const stable = stableDeployment(2)
        const wide = { ...stable.spec, selector: { matchLabels: { app: 'web' } } }
        world.cluster.edit('kubectl', { ...stable, spec: wide })
      },
    ],
    [
      'when several containers could get the image',
      'ContainerNotNamed',
      () => {
        const stable = stableDeployment(2)
        const template = { metadata: { labels: { app: 'web', version: 'v1' } } }
        const containers = [{ name: 'web' }, { name: 'cache' }]
        world.cluster.edit('kubectl', {
          ...stable,
          spec: { ...stable.spec, template: { ...template, spec: { containers } } },
        })
      },
    ],
  ]
  it.each(refused)('%s', async (_, reason, arrange) => {
    arrange()
    world.image('preflight')
    const outcome = await world.settle(4)
    expect(outcome).toMatchObject({ state: 'stopped', reason })
    expect(world.applied()).not.toContain('apply Deployment')
    expect(world.weights).toEqual({ v1: 100, v3: 0 })
  })

  it('when Deployments may not be listed, which is not to have none', async () => {
    world.cluster.before = (request) => {
      if (request === 'list Deployment') throw new PortError('denied', 'Kubernetes', 'forbidden')
    }
    world.image('preflight')
    expect(await world.settle(4)).toMatchObject({ state: 'stopped', reason: 'Denied' })
    expect(world.applied()).not.toContain('apply Deployment')
  })

  it('not by other workloads with the same label, which the Kubernetes Service does not select', async () => {
    world.cluster.edit('kubectl', deployment('cart-v1', { app: 'cart', version: 'v1' }))
    world.image('preflight')
    await world.reconcile()
    expect(world.made?.metadata.annotations?.['meshwright.io/copied-from']).toBe('web-v1@1')
  })
})

describe('the plan of a service', () => {
  const plan = () => {
    const service = world.store.peek('service', 'shop/web')
    if (!service) throw new Error('no service')
    return planPlacement(world.deps, service, 'east')
  }
  const changes = async () => (await plan()).changes.map(({ ref, action }) => `${action} ${ref.kind} ${ref.name}`)

  it('shows the Deployment that a rollout will make, before it has begun, and checks it by a dry run', async () => {
    world.image('pending')
    expect((await changes())[0]).toBe('create Deployment web-v3')
    expect(world.cluster.forget()).toContain('dryRun Deployment')
    expect(world.made).toBeUndefined()
  })

  it('shows no secret of the Pods that it copies, only names and images of containers', async () => {
    const template = {
      metadata: { labels: { app: 'web', version: 'v1' }, annotations: { 'vault/token': 'hidden-note' } },
      spec: {
        containers: [
          { name: 'web', image: 'web:1', env: [{ name: 'KEY', value: 'hidden-env' }], args: ['hidden-arg'] },
        ],
        initContainers: [{ name: 'init', image: 'init:1', command: ['hidden-command'] }],
        volumes: [{ name: 'x', hostPath: { path: 'hidden-path' } }],
      },
    }
    const source = stableDeployment(10)
    world.cluster.edit('kubectl', { ...source, spec: { ...source.spec, template } })
    world.image('pending', {}, { image: { images: { web: 'web:3' }, replicas: 'equal' } })
    const [change] = (await plan()).changes
    expect(JSON.stringify(change)).not.toContain('hidden-')
    expect(change?.diff).toEqual(
      expect.arrayContaining([
        { path: 'spec.replicas', from: undefined, to: 10 },
        { path: 'spec.template.spec.containers', from: undefined, to: [{ name: 'web', image: 'web:3' }] },
        { path: 'spec.template.spec.initContainers', from: undefined, to: [{ name: 'init', image: 'init:1' }] },
        { path: 'spec.template.spec.volumes', from: undefined, to: '(not shown)' },
        { path: 'spec.template.metadata.annotations.vault/token', from: undefined, to: '(not shown)' },
      ]),
    )
  })

  it('shows more Pods before a larger share', async () => {
    await world.at(10)
    world.cluster.edit('kubectl', stableDeployment(12))
    const [change] = (await plan()).changes
    expect(change).toMatchObject({ action: 'update', diff: [{ path: 'spec.replicas', from: 10, to: 12 }] })
  })

  it('names what stands in the way, and the missing right', async () => {
    world.image('preflight')
    world.cluster.before = (request) => {
      if (request === 'dryRun Deployment') throw new PortError('denied', 'Kubernetes', 'forbidden')
    }
    const denied = (await plan()).findings.find(({ code }) => code === 'Denied')
    expect(denied?.fix).toBe('Give Meshwright the rights of infra/kubernetes/image-role.yaml in namespace shop.')
    world.cluster.edit('kubectl', stableDeployment(2, { labels: { 'argocd.argoproj.io/instance': 'shop' } }))
    const refused = (await plan()).findings.find(({ code }) => code === 'WorkloadOwnedByTool')
    expect(refused).toMatchObject({ severity: 'error', fix: expect.stringContaining('Argo CD') })
  })

  it('warns of an autoscaler of stable and of Helm', async () => {
    world.cluster.edit('kubectl', autoscaler('web', 'web-v1'))
    world.cluster.edit('kubectl', stableDeployment(2, { annotations: { 'meta.helm.sh/release-name': 'shop' } }))
    world.image('preflight')
    expect((await plan()).findings.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['StableAutoscaled', 'InstalledByHelm']),
    )
  })

  it('shows the Deployment that is to be scaled down, and that none goes with the service', async () => {
    await world.at(100)
    world.end('source')
    await world.settle(2)
    world.clock.at += 60_000
    expect(await changes()).toContain('update Deployment web-v1')
    await world.settle()
    world.service(() => ({ targets: {} }))
    expect(await changes()).toContain('update Deployment web-v3')
  })
})

describe('on Consul', () => {
  it('the Pods of the copy bear the annotation by which Consul knows the version', async () => {
    const world = new ImageWorld()
    world.store.put(clusterDocument({ mesh: { provider: 'consul' } }))
    const meta = 'consul.hashicorp.com/service-meta-version'
    const source = stableDeployment(10)
    const template = {
      ...(source.spec?.template as object),
      metadata: { labels: { app: 'web', version: 'v1' }, annotations: { [meta]: 'v1' } },
    }
    world.cluster.edit('kubectl', { ...source, spec: { ...source.spec, template } })
    world.image('preflight')
    await world.reconcile()
    const made = world.made?.spec?.template as { metadata: { annotations: Record<string, string> } } | undefined
    expect(made?.metadata.annotations).toEqual({ [meta]: 'v3' })
  })
})
