import { beforeEach, describe, expect, it } from 'vitest'
import { clusterSpec } from '../../../src/model/cluster.ts'
import { PortError, type PortErrorKind } from '../../../src/ports/port-error.ts'
import { clusterDocument, foreignRoute, serviceDocument, World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})

function applies(): readonly string[] {
  return world.cluster.forget().filter((request) => request.startsWith('apply') || request.startsWith('remove'))
}

describe('a hold', () => {
  it('on the namespace stops every write, even a rollback, and is seen when it ends', async () => {
    await world.settle()
    world.rollout('progressing', 20)
    await world.settle()
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'true' })
    world.rollout('rolling-back', 20)
    applies()
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'NamespaceHeld' })
    expect(applies()).toEqual([])
    expect(world.condition('Held')).toBe('True NamespaceHeld')
    expect(world.events()).toContain('placement.held')
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'false' })
    expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 100, v2: 0 } })
    expect(world.condition('Held')).toBe('False None')
  })

  it('on an object stops writes to it alone', async () => {
    await world.settle()
    world.annotate('VirtualService', 'web', { 'meshwright.io/hold': 'true' })
    world.spec({
      versions: { v1: { labels: { version: 'v1' } }, v3: { labels: { version: 'v3' } } },
      traffic: { timeout: '3s' },
    })
    applies()
    await world.reconcile()
    world.clock.at += 5000
    expect(await world.reconcile()).toMatchObject({ reason: 'ObjectHeld' })
    expect(applies()).toEqual(['apply DestinationRule'])
  })

  it('shows though there is nothing to write', async () => {
    await world.settle()
    world.annotate('Namespace', 'shop', { 'meshwright.io/hold': 'true' })
    expect(await world.reconcile()).toMatchObject({ state: 'live' })
    expect(world.condition('Held')).toBe('True NamespaceHeld')
    expect(world.condition('Ready')).toBe('True Live')
  })
})

describe('a cluster', () => {
  it('in mode observe is looked at and never written', async () => {
    world.store.put(clusterDocument({ spec: clusterSpec.parse({ kubeconfig: { context: 'east' }, mode: 'observe' }) }))
    expect(await world.settle(5)).toMatchObject({ state: 'stopped', reason: 'ObserveMode' })
    expect(applies()).toEqual([])
    expect(world.placement.versions).toEqual({ v1: { ready: 2 }, v2: { ready: 1 } })
  })

  it('a service in mode observe is looked at and never written, though the cluster is managed', async () => {
    world.spec({ mode: 'observe' })
    expect(await world.settle(5)).toMatchObject({ state: 'stopped', reason: 'ObserveMode' })
    expect(applies()).toEqual([])
    expect(world.condition('Held')).toBe('True ObserveMode')
    world.spec({ mode: 'manage' })
    expect(await world.settle()).toMatchObject({ state: 'live' })
    world.spec({ mode: 'observe', traffic: { timeout: '9s' } })
    applies()
    expect(await world.settle(5)).toMatchObject({ state: 'stopped', reason: 'ObserveMode' })
    expect(applies()).toEqual([])
  })

  it('that is being deleted gets nothing new', async () => {
    world.store.put(clusterDocument({ deletingAt: '2026-05-01T10:00:00.000Z' }))
    expect(await world.reconcile()).toMatchObject({ reason: 'ClusterDeleting' })
    expect(applies()).toEqual([])
  })

  it('with a mesh that cannot express the service, or is not yet known, is not asked anything', async () => {
    world.store.put(clusterDocument({ mesh: { provider: 'linkerd' } }))
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'InvalidCombination' })
    const { mesh: _, ...unknown } = clusterDocument()
    world.store.put(unknown)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'MeshUnknown' })
    expect(world.cluster.log).toEqual([])
  })

  const cases: readonly [PortErrorKind, string, string, number][] = [
    ['unavailable', 'False Unreachable', 'Unknown Unreachable', 750],
    ['denied', 'False Denied', 'Unknown Denied', 750],
    ['throttled', 'True Answers', 'False Throttled', 9000],
    ['invalid', 'True Answers', 'False Rejected', 300_000],
  ]
  it.each(cases)(
    'whose API answers %s leaves traffic alone and is tried again',
    async (kind, reachable, ready, retry) => {
      await world.settle()
      world.spec({ traffic: { timeout: '5s' } })
      world.cluster.before = () => {
        throw new PortError(
          kind,
          'Kubernetes east',
          'in its own words',
          kind === 'throttled' ? { retryAfterMs: 9000 } : {},
        )
      }
      const outcome = await world.reconcile()
      expect(outcome.state).toBe('failed')
      expect([world.condition('Reachable'), world.condition('Ready')]).toEqual([reachable, ready])
      expect(world.message('Ready')).toBe('in its own words')
      expect(Date.parse(outcome.again ?? '') - world.clock.at).toBe(retry)
      expect(world.placement).toMatchObject({ weights: { v1: 100 }, attempts: 1, objects: [{}, {}] })
      world.cluster.before = () => undefined
      expect(await world.settle()).toMatchObject({ state: 'live' })
      expect(world.placement.attempts).toBe(0)
    },
  )

  it('that stays away is asked less and less often, but at least twice a minute while a rollout goes back', async () => {
    await world.settle()
    world.cluster.before = () => {
      throw new PortError('unavailable', 'Kubernetes east', 'no answer')
    }
    world.spec({ traffic: { timeout: '5s' } })
    await world.settle(15)
    expect(Date.parse((await world.reconcile()).again ?? '') - world.clock.at).toBe(225_000)
    world.rollout('rolling-back', 0)
    expect(Date.parse((await world.reconcile()).again ?? '') - world.clock.at).toBeLessThanOrEqual(30_000)
  })

  it('keeps what it was told before an error in the middle', async () => {
    world.cluster.before = (request) => {
      if (request === 'apply VirtualService') throw new PortError('unavailable', 'Kubernetes east', 'reset')
    }
    await world.settle(3)
    expect(world.placement.objects.map(({ kind }) => kind)).toEqual(['DestinationRule'])
  })
})

describe('a freeze', () => {
  const reason = 'holidays'

  it('of rollouts stops a rise, never a fall', async () => {
    await world.settle()
    world.rollout('progressing', 10)
    await world.settle()
    world.freeze({ reason, scope: {}, covers: ['rollouts'] })
    world.rollout('progressing', 50)
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'FreezeActive' })
    expect(world.message('Frozen')).toContain('holiday (holidays)')
    expect(world.weights).toEqual({ v1: 90, v2: 10 })
    world.rollout('rolling-back', 50)
    expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 100, v2: 0 } })
    expect(world.condition('Frozen')).toBe('False None')
  })

  it('of configuration stops another change but lets a rollback pass before it', async () => {
    await world.settle()
    world.rollout('progressing', 10)
    await world.settle()
    world.freeze({ reason, scope: { namespaces: ['shop'] }, covers: ['configuration'], until: '2026-05-01T10:02:00Z' })
    world.spec({ traffic: { timeout: '5s' } })
    expect(await world.reconcile()).toMatchObject({ reason: 'FreezeActive' })
    world.rollout('rolling-back', 10)
    const outcome = await world.reconcile()
    expect(outcome).toMatchObject({ reason: 'FreezeActive', weights: { v1: 100, v2: 0 } })
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
    expect(Date.parse(outcome.again ?? '')).toBeLessThanOrEqual(Date.parse('2026-05-01T10:02:00Z'))
    expect(await world.settle()).toMatchObject({ state: 'live' })
  })

  it('elsewhere stops nothing', async () => {
    world.freeze({ reason, scope: { clusters: ['west'] }, covers: ['rollouts', 'configuration'] })
    expect(await world.settle()).toMatchObject({ state: 'live' })
  })
})

describe('objects of others', () => {
  const tools = [
    ['Helm', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
    ['Flagger', { labels: { 'app.kubernetes.io/managed-by': 'flagger' } }],
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }],
  ] as const

  it('for the same host are a conflict that names object and field manager', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('web-routes'))
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'OwnedByOthers' })
    expect(applies()).toEqual([])
    expect(world.message('Conflict')).toContain('VirtualService shop/web-routes (field manager kubectl-create)')
    expect(world.events()).toEqual(['placement.conflict'])
    world.cluster.objects.delete('networking.istio.io/v1/VirtualService/shop/web-routes')
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.condition('Conflict')).toBe('False None')
  })

  it('are looked for anew before a route is made or its hosts change, and may be seen a moment old before other changes', async () => {
    const ages: (number | undefined)[] = []
    const list = world.cluster.list.bind(world.cluster)
    world.cluster.list = async (kind, options = {}) => {
      if (kind.kind === 'VirtualService') ages.push(options.maxAgeMs)
      return list(kind, options)
    }
    await world.settle()
    expect(ages.splice(0)).toEqual([undefined, undefined])
    world.spec({ hosts: ['shop.example.com'] })
    await world.settle()
    expect(ages.splice(0)).toEqual([undefined])
    world.spec({ versions: { ...serviceDocument().spec.versions, v3: { labels: { version: 'v3' } } } })
    await world.settle()
    expect(ages.splice(0)).toEqual([1000])
    world.rollout('preflight', 0)
    await world.settle()
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
    expect(ages).toEqual([1000])
  })

  it('under our name are a conflict too', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('web'))
    expect(await world.reconcile()).toMatchObject({ reason: 'OwnedByOthers' })
    expect(applies()).toEqual([])
  })

  it('are taken over with adopt: ours is written, then theirs is removed', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('web-routes'))
    world.spec({ adopt: true })
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(applies()).toEqual(['apply DestinationRule', 'apply VirtualService', 'remove VirtualService'])
    expect(world.cluster.peek('VirtualService', 'web-routes')).toBeUndefined()
  })

  it('under our name are written over with adopt', async () => {
    world.cluster.edit('kubectl-create', foreignRoute('web'))
    world.spec({ adopt: true })
    expect(await world.settle()).toMatchObject({ state: 'live', weights: { v1: 100 } })
    expect(world.cluster.peek('VirtualService', 'web')?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'meshwright',
    })
  })

  it.each(tools)('that %s would put back are not taken over even with adopt', async (tool, metadata) => {
    world.cluster.edit('kubectl-create', foreignRoute('web-routes', metadata))
    world.spec({ adopt: true })
    expect(await world.reconcile()).toMatchObject({ reason: 'OwnedByTool' })
    expect(world.message('Conflict')).toContain(tool)
    expect(applies()).toEqual([])
  })

  it('in another namespace are not taken over', async () => {
    const object = foreignRoute('web-routes', { namespace: 'pay' })
    world.cluster.edit('kubectl-create', { ...object, spec: { ...object.spec, hosts: ['web.shop.svc.cluster.local'] } })
    world.spec({ adopt: true })
    expect(await world.reconcile()).toMatchObject({ reason: 'OwnedByOthers' })
  })

  it('that are for other services too are not taken over', async () => {
    const object = foreignRoute('all-routes')
    world.cluster.edit('kubectl-create', { ...object, spec: { ...object.spec, hosts: ['*.shop.svc.cluster.local'] } })
    world.spec({ adopt: true })
    expect(await world.reconcile()).toMatchObject({ reason: 'OwnedByOthers' })
    expect(world.message('Conflict')).toContain('for it alone')
    expect(world.cluster.peek('VirtualService', 'all-routes')).toBeDefined()
  })

  it('that appear later do not hold back a rollback', async () => {
    await world.settle()
    world.rollout('progressing', 20)
    await world.settle()
    world.cluster.edit('kubectl-create', foreignRoute('web-routes'))
    world.rollout('rolling-back', 20)
    await world.reconcile()
    expect(world.weights).toEqual({ v1: 100, v2: 0 })
  })
})

describe('a namespace that is not there', () => {
  it('is named, waited for, and no reason to count restores', async () => {
    world.cluster.objects.delete('v1/Namespace//shop')
    expect(await world.reconcile()).toMatchObject({ state: 'stopped', reason: 'NamespaceMissing' })
    world.cluster.edit('kubectl', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(world.placement.restores).toEqual([])
  })
})
