import { beforeEach, describe, expect, it } from 'vitest'
import { valueAt } from '../../../src/sandbox/emulators/kubernetes/json.ts'
import { Crash, OLDER_THAN, RestartsWorld } from './restarts-world.ts'

const TEMPLATE = ['spec', 'template', 'metadata', 'annotations']

let world: RestartsWorld
beforeEach(() => {
  world = new RestartsWorld()
})

function templateOf(kind: string, namespace: string, name: string) {
  return valueAt(world.kubernetes.get('apps/v1', kind, namespace, name), TEMPLATE)
}

const types = () => world.events().map(({ type }) => type)

describe('the restarts that a rotation wants', () => {
  it('come one after the other until no Pod is left that was there before, and are told of', async () => {
    world.seedMany(3)
    world.seed('StatefulSet', 'n1', 'db', { serviceName: 'db' })
    world.settle()
    await world.restart()
    expect(world.underWay()).toHaveLength(1)
    expect(world.restarts).toMatchObject({ done: 0, left: 3, cannot: [], waiting: [] })
    let most = 0
    await world.live(20, () => {
      most = Math.max(most, world.underWay().length)
    })
    expect(most).toBe(1)
    expect(world.pods().filter(({ isOld }) => isOld)).toEqual([])
    expect(world.pods()).toHaveLength(8)
    expect([...world.patches].sort()).toEqual([
      'Deployment n1/web',
      'Deployment n2/web',
      'Deployment n3/web',
      'StatefulSet n1/db',
    ])
    expect(world.restarts).toMatchObject({ underWay: [], done: 4, left: 0, told: 'over' })
    expect(types()).toEqual([
      'certificate.restarting',
      ...Array.from({ length: 4 }, () => 'certificate.workload-restarted'),
      'certificate.restarted',
    ])
  })

  it('are of several at once where Pods are many, and the next come when all of them are ready', async () => {
    world.seedMany(60)
    world.settle()
    await world.restart()
    // Five per cent of 120 Pods are three workloads of two.
    expect(world.underWay()).toEqual(['n1/web', 'n10/web', 'n11/web'])
    world.pass(1500)
    await world.restart()
    expect(world.patches).toHaveLength(3)
    await world.live(1)
    expect(world.patches).toHaveLength(3)
    await world.restart()
    expect(world.restarts).toMatchObject({ done: 3, left: 54 })
    expect(world.patches).toHaveLength(6)
  })

  it('set the one annotation that kubectl sets, as a field manager of their own', async () => {
    world.seed('DaemonSet', 'n1', 'agent')
    world.settle()
    await world.restart()
    const [entry] = world.restarts?.underWay ?? []
    expect(templateOf('DaemonSet', 'n1', 'agent')).toEqual({ 'kubectl.kubernetes.io/restartedAt': entry?.since })
    expect(Date.parse(entry?.since ?? '')).toBeGreaterThan(Date.parse(OLDER_THAN))
    const { metadata } = world.kubernetes.get('apps/v1', 'DaemonSet', 'n1', 'agent') ?? {}
    const owned = metadata?.managedFields?.find(({ manager }) => manager === 'meshwright-restart')
    expect(owned).toMatchObject({ operation: 'Apply' })
    expect(owned?.fieldsV1).toEqual({
      'f:spec': {
        'f:template': { 'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/restartedAt': {} } } },
      },
    })
  })

  it('leave alone what is held, and what nothing makes anew, and name it', async () => {
    world.seed(
      'Deployment',
      'n1',
      'web',
      {},
      {
        annotations: {
          'sandbox.meshwright.io/pods': 'true',
          'meshwright.io/hold': 'true',
        },
      },
    )
    world.seed('StatefulSet', 'n3', 'db', { updateStrategy: { type: 'OnDelete' } })
    world.seed('Deployment', 'n2', 'web')
    world.settle()
    const { metadata, ...pod } = world.kubernetes.list('v1', 'Pod', 'n2')[0] ?? { metadata: {} }
    const { labels = {}, annotations = {} } = metadata
    const creationTimestamp = '2026-05-01T10:00:00Z'
    const bare = { name: 'bare', namespace: 'n4', labels, annotations, creationTimestamp }
    const job = {
      ...bare,
      name: 'job-1',
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: 'u', controller: true }],
    }
    for (const one of [bare, job]) world.kubernetes.seed([{ ...pod, apiVersion: 'v1', kind: 'Pod', metadata: one }])
    world.kubernetes.seed([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n2', annotations: { 'meshwright.io/hold': 'true' } } },
    ])
    await world.live(3)
    expect(world.patches).toEqual([])
    expect(world.restarts).toMatchObject({ done: 0, left: 0 })
    expect(world.restarts?.cannot).toEqual([
      'Deployment n1/web: it or its namespace bears meshwright.io/hold',
      'Deployment n2/web: it or its namespace bears meshwright.io/hold',
      'StatefulSet n3/db: its update strategy OnDelete replaces no Pod by itself',
      'Pod n4/bare: nothing would make it anew',
      'Pod n4/job-1: Job job makes it, which cannot be restarted',
    ])
    expect(types()).toEqual([])
  })

  it('wait for what may not be disturbed, and say so', async () => {
    world.seed('Deployment', 'n1', 'web', { strategy: { rollingUpdate: { maxUnavailable: 1 } } })
    world.seed('Deployment', 'n2', 'web')
    world.kubernetes.seed([
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'web', namespace: 'n1' },
        spec: { selector: { matchLabels: { app: 'web' } } },
        status: { disruptionsAllowed: 0, currentHealthy: 2, desiredHealthy: 2, expectedPods: 2 },
      },
    ])
    world.settle()
    await world.live(4)
    expect(world.patches).toEqual(['Deployment n2/web'])
    const waiting = ['Deployment n1/web: PodDisruptionBudget n1/web allows no disruption now']
    expect(world.restarts).toMatchObject({ left: 1, done: 1, waiting, waitingCount: 1 })
  })

  it('are not begun while a workload is not whole', async () => {
    world.seedMany(1)
    world.settle()
    const deployment = world.kubernetes.get('apps/v1', 'Deployment', 'n1', 'web')
    if (!deployment) throw new Error('no Deployment')
    world.isStopped = true
    world.kubernetes.seed([
      {
        ...deployment,
        metadata: { ...deployment.metadata },
        status: { ...(deployment.status as object), availableReplicas: 1 },
      },
    ])
    await world.live(2)
    expect(world.patches).toEqual([])
    expect(world.restarts?.waiting).toEqual([
      'Deployment n1/web: not all its Pods are available and of its present template',
    ])
  })
})

describe('a worker that dies', () => {
  it('before the cluster was asked: the same is asked for, once', async () => {
    world.seedMany(2)
    world.settle()
    world.before = () => {
      throw new Crash()
    }
    await expect(world.restart()).rejects.toThrow(Crash)
    const begun = world.restarts?.underWay
    expect(begun).toHaveLength(1)
    expect(templateOf('Deployment', 'n1', 'web')).toBeUndefined()
    world.before = () => undefined
    world.pass(5000)
    await world.restart()
    expect(templateOf('Deployment', 'n1', 'web')).toEqual({ 'kubectl.kubernetes.io/restartedAt': begun?.[0]?.since })
    await world.live(8)
    expect([...world.patches].sort()).toEqual(['Deployment n1/web', 'Deployment n2/web'])
  })

  it('after the cluster was asked: it is not asked again', async () => {
    world.seedMany(2)
    world.settle()
    world.after = () => {
      throw new Crash()
    }
    await expect(world.restart()).rejects.toThrow(Crash)
    expect(world.restarts?.underWay[0]).not.toHaveProperty('written')
    world.after = () => undefined
    await world.live(8)
    expect([...world.patches].sort()).toEqual(['Deployment n1/web', 'Deployment n2/web'])
    expect(world.restarts).toMatchObject({ done: 2, left: 0, underWay: [] })
  })

  it('wherever it dies, no workload is restarted twice and never two at once', async () => {
    for (let at = 1; at <= 12; at += 1) {
      world = new RestartsWorld()
      world.seedMany(3)
      world.settle()
      let writes = 0
      const dies = () => {
        writes += 1
        if (writes === at) throw new Crash()
      }
      world.before = dies
      world.after = dies
      world.store.beforeWrite = dies
      for (let turn = 0; turn < 12; turn += 1) {
        await world.restart().catch((error: unknown) => expect(error).toBeInstanceOf(Crash))
        expect(world.underWay().length).toBeLessThanOrEqual(1)
        for (let ms = 0; ms < 10_000; ms += 1000) world.pass(1000)
      }
      expect([...world.patches].sort()).toEqual(['Deployment n1/web', 'Deployment n2/web', 'Deployment n3/web'])
      expect(world.pods().filter(({ isOld }) => isOld)).toEqual([])
    }
  })

  it('and two that live at once restart each workload once, and never two at a time', async () => {
    world.seedMany(3)
    world.settle()
    for (let turn = 0; turn < 12; turn += 1) {
      await Promise.all([world.restart(), world.restart(), world.restart()])
      expect(world.underWay().length).toBeLessThanOrEqual(1)
      for (let ms = 0; ms < 10_000; ms += 1000) world.pass(1000)
    }
    const restarted = ['n1', 'n2', 'n3'].map((namespace) =>
      world.kubernetes.get('apps/v1', 'Deployment', namespace, 'web'),
    )
    expect(restarted.map((one) => one?.metadata.generation)).toEqual([2, 2, 2])
    expect(types().filter((type) => type === 'certificate.workload-restarted')).toHaveLength(3)
  })

  it('and its record is lost: what was restarted since is followed, not restarted again', async () => {
    world.seedMany(2)
    world.settle()
    await world.restart()
    const trust = world.store.peek('trust', 'east-ca')
    if (!trust) throw new Error('no trust')
    const { restarts: _restarts, ...without } = trust
    world.store.put(without)
    await world.restart()
    expect(world.underWay()).toEqual(['n1/web'])
    await world.live(8)
    expect([...world.patches].sort()).toEqual(['Deployment n1/web', 'Deployment n2/web'])
  })
})

describe('the next phase', () => {
  it('restarts anew what was restarted for the one before, once that is through', async () => {
    world.seedMany(1)
    world.settle()
    await world.live(3)
    const first = templateOf('Deployment', 'n1', 'web')
    world.now += 3_600_000
    const olderThan = new Date(world.now - 60_000).toISOString()
    world.rotation({ phase: 'renewing', restarting: { olderThan } })
    await world.live(3)
    expect(world.patches).toEqual(['Deployment n1/web', 'Deployment n1/web'])
    expect(templateOf('Deployment', 'n1', 'web')).not.toEqual(first)
    expect(types().filter((type) => type === 'certificate.restarted')).toHaveLength(2)
  })
})
