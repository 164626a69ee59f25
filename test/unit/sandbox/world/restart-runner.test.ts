import { beforeEach, describe, expect, it } from 'vitest'
import { valueAt } from '../../../../src/sandbox/emulators/kubernetes/json.ts'
import { kubernetesEmulator } from '../../../../src/sandbox/emulators/kubernetes/kubernetes-emulator.ts'
import { memoryStorage } from '../../../../src/sandbox/storage.ts'
import { seededChance } from '../../../../src/sandbox/world/chance.ts'
import { connectCluster } from '../../../../src/sandbox/world/connect-cluster.ts'
import { runDeployments } from '../../../../src/sandbox/world/deployment-runner.ts'
import { istioInjector } from '../../../../src/sandbox/world/injector.ts'
import { PODS_ANNOTATION } from '../../../../src/sandbox/world/plain-workloads.ts'
import { runRestarts } from '../../../../src/sandbox/world/restart-runner.ts'
import { RESTARTED_AT } from '../../../../src/sandbox/world/workload-pods.ts'
import { createWorld } from '../../../../src/sandbox/world/world.ts'
import { START_MS, WEB, webSpec } from './world-fixture.ts'

const TOKEN = 'admin'

function sandbox() {
  let nowMs = START_MS
  const context = { now: () => nowMs, random: seededChance(1).next, storage: memoryStorage() }
  const tokens = { [TOKEN]: { user: 'admin', groups: ['system:masters'] } }
  const kubernetes = kubernetesEmulator(context, { tokens })
  const world = createWorld({ ...context, routes: { rules: () => undefined } })
  world.putCluster('east')
  connectCluster(world, 'east', kubernetes)
  const runners = [
    runDeployments(world, 'east', kubernetes, context.now),
    runRestarts({ world, cluster: 'east', kubernetes, injector: istioInjector, now: context.now }),
  ]
  world.putService(WEB, webSpec())
  const pass = (ms: number) => {
    nowMs += ms
    for (const runner of runners) runner.advance()
  }
  pass(0)
  pass(10_000)
  return { kubernetes, world, pass }
}

let { kubernetes, world, pass } = sandbox()
beforeEach(() => {
  ;({ kubernetes, world, pass } = sandbox())
})

/** As `kubectl rollout restart` does. */
async function restart(plural: string, name: string, at = '2026-11-29T10:00:00Z'): Promise<void> {
  const template = { metadata: { annotations: { [RESTARTED_AT]: at } } }
  const answer = await kubernetes.handle({
    method: 'PATCH',
    url: new URL(`http://cluster/apis/apps/v1/namespaces/shop/${plural}/${name}?fieldManager=kubectl`),
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/merge-patch+json' },
    body: new TextEncoder().encode(JSON.stringify({ spec: { template } })),
  })
  expect(answer.status).toBe(200)
}

const pods = (prefix: string) =>
  kubernetes.list('v1', 'Pod', 'shop').filter(({ metadata }) => metadata.name?.startsWith(prefix))
const uids = (prefix: string) => pods(prefix).map(({ metadata }) => metadata.uid)
const ready = (prefix: string) =>
  pods(prefix).filter((pod) => JSON.stringify(valueAt(pod, ['status'])).includes('"True"')).length
const workload = (kind: string, name: string) => kubernetes.get('apps/v1', kind, 'shop', name)
const status = (kind: string, name: string) => workload(kind, name)?.status

function seedPlain(kind: string, name: string, spec: object = {}): void {
  const labels = { app: name, 'sidecar.istio.io/inject': 'true' }
  const template = { metadata: { labels }, spec: { containers: [{ name, image: `registry.example.com/${name}:1` }] } }
  const annotations = kind === 'Deployment' ? { [PODS_ANNOTATION]: 'true' } : {}
  kubernetes.seed([
    {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace: 'shop', annotations },
      spec: { selector: { matchLabels: { app: name } }, template, ...spec },
    },
  ])
}

describe('a Deployment of the world that is asked to restart', () => {
  it('has new Pods one after the other, and says truly how far it is', async () => {
    const before = uids('web-v1')
    const others = uids('web-v2')
    expect(status('Deployment', 'web-v1')).toMatchObject({ observedGeneration: 1, updatedReplicas: 2 })
    await restart('deployments', 'web-v1')
    pass(0)
    expect(uids('web-v1')).toEqual(before)
    const asked = status('Deployment', 'web-v1')
    expect(asked).toMatchObject({ observedGeneration: 2, replicas: 2, readyReplicas: 2, availableReplicas: 2 })
    expect(asked).not.toHaveProperty('updatedReplicas')
    pass(1500)
    expect(uids('web-v1').filter((uid) => before.includes(uid))).toHaveLength(1)
    expect(status('Deployment', 'web-v1')).toMatchObject({ updatedReplicas: 1, readyReplicas: 2 })
    pass(1500)
    expect(uids('web-v1').filter((uid) => before.includes(uid))).toEqual([])
    expect(status('Deployment', 'web-v1')).toMatchObject({ observedGeneration: 2, updatedReplicas: 2 })
    expect(uids('web-v2')).toEqual(others)
    for (const { metadata } of pods('web-v1')) {
      expect(metadata.annotations).toMatchObject({ [RESTARTED_AT]: '2026-11-29T10:00:00Z' })
      expect(Date.parse(metadata.creationTimestamp ?? '')).toBeGreaterThan(START_MS + 10_000)
    }
    expect(kubernetes.get('discovery.k8s.io/v1', 'EndpointSlice', 'shop', 'web-sandbox')?.endpoints).toHaveLength(4)
  })

  it('stays restarted: what changes in the world later brings no other Pods', async () => {
    await restart('deployments', 'web-v1')
    for (const ms of [0, 1500, 1500, 1500]) pass(ms)
    const after = uids('web-v1')
    world.putService(WEB, webSpec({ versions: { v1: { errorPercent: 5 }, v2: {} } }))
    for (const ms of [0, 1500, 1500]) pass(ms)
    expect(uids('web-v1')).toEqual(after)
    const annotations = valueAt(workload('Deployment', 'web-v1'), ['spec', 'template', 'metadata', 'annotations'])
    expect(annotations).toEqual({ [RESTARTED_AT]: '2026-11-29T10:00:00Z' })
  })
})

describe('a Deployment that others wrote for a service of the world', () => {
  it('restarts as well', async () => {
    const labels = { app: 'web', version: 'v3' }
    const containers = [{ name: 'web', image: 'registry.example.com/web:3' }]
    const template = { metadata: { labels }, spec: { containers } }
    const spec = { replicas: 2, selector: { matchLabels: labels }, template }
    kubernetes.seed([
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web-v3', namespace: 'shop' }, spec },
    ])
    for (const ms of [0, 1500]) pass(ms)
    const before = uids('web-v3')
    expect(before).toHaveLength(2)
    await restart('deployments', 'web-v3')
    pass(0)
    expect(status('Deployment', 'web-v3')).toMatchObject({ observedGeneration: 2, readyReplicas: 2 })
    expect(status('Deployment', 'web-v3')).not.toHaveProperty('updatedReplicas')
    for (const ms of [1500, 1500]) pass(ms)
    expect(uids('web-v3').filter((uid) => before.includes(uid))).toEqual([])
    expect(status('Deployment', 'web-v3')).toMatchObject({ updatedReplicas: 2, readyReplicas: 2 })
  })
})

describe('workloads of which the world knows nothing', () => {
  it('a StatefulSet has Pods, and gets each again under its name, the last first', async () => {
    seedPlain('StatefulSet', 'db', { replicas: 2, serviceName: 'db' })
    pass(0)
    expect(status('StatefulSet', 'db')).toMatchObject({ replicas: 2 })
    expect(status('StatefulSet', 'db')).not.toHaveProperty('readyReplicas')
    pass(1500)
    expect(status('StatefulSet', 'db')).toMatchObject({ replicas: 2, readyReplicas: 2, updatedReplicas: 2 })
    expect(pods('db')[0]?.metadata.annotations).toMatchObject({ 'sidecar.istio.io/status': '{}' })
    const [first, last] = uids('db')
    await restart('statefulsets', 'db')
    pass(0)
    expect(uids('db')[0]).toBe(first)
    expect(uids('db')[1]).not.toBe(last)
    expect(status('StatefulSet', 'db')).toMatchObject({ observedGeneration: 2, updatedReplicas: 1, readyReplicas: 1 })
    pass(1500)
    expect(uids('db')[0]).not.toBe(first)
    expect(ready('db')).toBe(1)
    pass(1500)
    expect(status('StatefulSet', 'db')).toMatchObject({ updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 })
    expect(pods('db').map(({ metadata }) => metadata.name)).toEqual(['db-0', 'db-1'])
  })

  it('a DaemonSet has a Pod a node, and gets new ones', async () => {
    seedPlain('DaemonSet', 'agent')
    for (const ms of [0, 1500]) pass(ms)
    expect(status('DaemonSet', 'agent')).toMatchObject({ desiredNumberScheduled: 2, numberReady: 2 })
    const before = uids('agent')
    await restart('daemonsets', 'agent')
    pass(0)
    expect(status('DaemonSet', 'agent')).toMatchObject({ numberReady: 1, updatedNumberScheduled: 1 })
    for (const ms of [1500, 1500]) pass(ms)
    expect(status('DaemonSet', 'agent')).toMatchObject({ observedGeneration: 2, numberReady: 2, numberAvailable: 2 })
    expect(uids('agent').filter((uid) => before.includes(uid))).toEqual([])
  })

  it('a marked Deployment starts the new Pod before the old one goes', async () => {
    seedPlain('Deployment', 'identity', { replicas: 1 })
    for (const ms of [0, 1500]) pass(ms)
    const before = uids('identity')
    await restart('deployments', 'identity')
    pass(0)
    expect(pods('identity')).toHaveLength(2)
    expect(ready('identity')).toBe(1)
    pass(1500)
    expect(ready('identity')).toBe(1)
    expect(uids('identity').filter((uid) => before.includes(uid))).toEqual([])
    expect(status('Deployment', 'identity')).toMatchObject({ replicas: 1, updatedReplicas: 1, readyReplicas: 1 })
  })

  it('any other change of a template brings new Pods, too', () => {
    seedPlain('DaemonSet', 'agent')
    for (const ms of [0, 1500]) pass(ms)
    const before = uids('agent')
    const live = workload('DaemonSet', 'agent')
    const spec = structuredClone(live?.spec) as { template: { metadata: { annotations?: object } } }
    spec.template.metadata.annotations = { note: 'mine' }
    kubernetes.seed([{ ...live, spec } as Parameters<typeof kubernetes.seed>[0][number]])
    for (const ms of [0, 1500, 1500]) pass(ms)
    expect(uids('agent').filter((uid) => before.includes(uid))).toEqual([])
    expect(pods('agent')[0]?.metadata.annotations).toMatchObject({ note: 'mine' })
  })

  it('a Pod that somebody deletes comes back; with the workload they go', () => {
    seedPlain('StatefulSet', 'db', { replicas: 1, serviceName: 'db' })
    for (const ms of [0, 1500]) pass(ms)
    const [before] = uids('db')
    kubernetes.remove('v1', 'Pod', 'shop', 'db-0')
    for (const ms of [0, 1500]) pass(ms)
    expect(uids('db')).toHaveLength(1)
    expect(uids('db')[0]).not.toBe(before)
    kubernetes.remove('apps/v1', 'StatefulSet', 'shop', 'db')
    pass(0)
    expect(pods('db')).toEqual([])
  })
})
