import { beforeEach, describe, expect, it } from 'vitest'
import { kubernetesEmulator } from '../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../../src/sandbox/storage.ts'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'
import { connectCluster } from '../../../../src/sandbox/world/connect-cluster.ts'
import { runDeployments } from '../../../../src/sandbox/world/deployment-runner.ts'
import { createWorld } from '../../../../src/sandbox/world/world.ts'
import { START_MS, WEB, webSpec } from './world-fixture.ts'

function sandbox() {
  let nowMs = START_MS
  const context = { now: () => nowMs, random: seededChance(1).next, storage: memoryStorage() }
  const kubernetes = kubernetesEmulator(context, { tokens: {} })
  const world = createWorld({ ...context, routes: { rules: () => undefined } })
  world.putCluster('east')
  connectCluster(world, 'east', kubernetes)
  const runner = runDeployments(world, 'east', kubernetes, context.now)
  world.putService(WEB, webSpec())
  const pass = (ms: number) => {
    nowMs += ms
    runner.advance()
  }
  pass(10_000)
  return { kubernetes, world, pass }
}

let { kubernetes, world, pass } = sandbox()
beforeEach(() => {
  ;({ kubernetes, world, pass } = sandbox())
})

function deploy(replicas: number, image = 'registry.example.com/web:3', labels: Record<string, string> = {}): void {
  const pods = { app: 'web', version: 'v3', ...labels }
  const template = { metadata: { labels: pods }, spec: { containers: [{ name: 'web', image }] } }
  const spec = { replicas, selector: { matchLabels: pods }, template }
  kubernetes.seed([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web-v3', namespace: 'shop' }, spec },
  ])
}

const ready = () => world.pods(WEB).filter(({ version }) => version === 'v3').length
const status = () => kubernetes.get('apps/v1', 'Deployment', 'shop', 'web-v3')?.status

describe('a Deployment that others wrote', () => {
  it('has Pods behind the service after a moment, and says so', () => {
    deploy(3)
    pass(1000)
    expect(ready()).toBe(0)
    expect(status()).toMatchObject({ observedGeneration: 1, updatedReplicas: 3 })
    expect(status()).not.toHaveProperty('readyReplicas')
    pass(1000)
    expect(ready()).toBe(3)
    expect(status()).toMatchObject({ readyReplicas: 3 })
    const slice = kubernetes.get('discovery.k8s.io/v1', 'EndpointSlice', 'shop', 'web-sandbox')
    expect(slice?.endpoints).toHaveLength(7)
  })

  it('gets more Pods after a moment, and loses some at once', () => {
    deploy(1)
    pass(2000)
    deploy(4)
    pass(500)
    expect(ready()).toBe(1)
    pass(1500)
    expect(ready()).toBe(4)
    deploy(0)
    pass(0)
    expect(ready()).toBe(0)
  })

  it('fails as much as the tag of its image says, until people say otherwise', () => {
    deploy(1, 'registry.example.com/web:4-errors-20')
    pass(2000)
    const version = () => world.cluster('east')?.services['shop/web']?.versions.v3
    expect(version()).toMatchObject({ errorPercent: 20, workload: 'web-v3' })
    const service = world.cluster('east')?.services['shop/web']
    const spec = version()
    if (!service || !spec) throw new Error('no version')
    world.putService(WEB, { ...service, versions: { ...service.versions, v3: { ...spec, errorPercent: 1 } } })
    deploy(2, 'registry.example.com/web:4-errors-20')
    pass(2000)
    expect(version()).toMatchObject({ errorPercent: 1, pods: 2 })
    deploy(2, 'registry.example.com/web:5')
    pass(2000)
    expect(version()).toMatchObject({ errorPercent: 0 })
  })

  it('takes its version along when it goes', () => {
    deploy(2)
    pass(2000)
    kubernetes.remove('apps/v1', 'Deployment', 'shop', 'web-v3')
    pass(0)
    expect(Object.keys(world.cluster('east')?.services['shop/web']?.versions ?? {})).toEqual(['v1', 'v2'])
  })

  it('has no Pods of the world when no service of the world selects them', () => {
    deploy(2, 'registry.example.com/cart:1', { app: 'cart' })
    pass(2000)
    expect(world.pods(WEB)).toHaveLength(4)
    expect(status()).not.toHaveProperty('readyReplicas')
  })
})

describe('a Deployment of the world', () => {
  it('has as many Pods as others set, and keeps what they noted on it', () => {
    const [live] = kubernetes.list('apps/v1', 'Deployment', 'shop')
    if (!live) throw new Error('no Deployment')
    const annotations = { ...live.metadata.annotations, note: 'mine' }
    const metadata = { ...live.metadata, annotations }
    kubernetes.seed([{ ...live, metadata, spec: { ...(live.spec as object), replicas: 0 } }])
    pass(0)
    expect(world.pods(WEB).filter(({ version }) => version === 'v1')).toEqual([])
    const after = kubernetes.get('apps/v1', 'Deployment', 'shop', 'web-v1')
    expect(after?.spec).toMatchObject({ replicas: 0 })
    expect(after?.metadata.annotations).toMatchObject({ note: 'mine' })
  })
})
