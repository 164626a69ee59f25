import { beforeEach, describe, expect, it } from 'vitest'
import { clusterSpec } from '../../../src/model/cluster.ts'
import type { KubeObject } from '../../../src/model/kube.ts'
import { refKey } from '../../../src/reconcile/content.ts'
import { clusterDocument, World } from './world.ts'

const ROUTE = 'web.external.web.example.com'
const PARENT = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'gateways', name: 'public' }

describe('a service on a cluster with the Gateway API', () => {
  let world: World
  beforeEach(() => {
    world = new World()
    const spec = clusterSpec.parse({
      kubeconfig: { context: 'east' },
      mesh: { gateways: { external: { namespace: 'gateways', name: 'public' } } },
    })
    world.store.put(clusterDocument({ spec, mesh: { provider: 'gateway-api' } }))
    world.spec({ workload: { labels: { track: 'x' } }, exposure: [{ host: 'web.example.com' }] })
  })

  /** As the controller of endpoints does: every version Service has those of its Pods. */
  function fillServices(): void {
    for (const version of ['v1', 'v2']) {
      world.cluster.edit('endpointslice-controller', {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `web-${version}-1`,
          namespace: 'shop',
          labels: { 'kubernetes.io/service-name': `web-${version}` },
        },
        endpoints: [{ conditions: { ready: true }, targetRef: { kind: 'Pod', name: `web-${version}-0` } }],
      })
    }
  }

  /** What the Gateway's controller says of the route as it is. */
  function judge(accepted: boolean): void {
    const route = world.cluster.peek('HTTPRoute', ROUTE) as KubeObject
    const observedGeneration = route.metadata.generation
    const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
      type,
      status: accepted ? 'True' : 'False',
      reason: 'Said',
      message: 'so it is',
      observedGeneration,
    }))
    const status = { parents: [{ parentRef: PARENT, controllerName: 'istio.io/gateway-controller', conditions }] }
    world.cluster.objects.set(refKey({ ...route, name: ROUTE, namespace: 'shop' }), { ...route, status })
  }

  const weights = () =>
    (
      (world.cluster.peek('HTTPRoute', ROUTE)?.spec?.rules ?? []) as {
        backendRefs: { name: string; weight: number }[]
      }[]
    )
      .flatMap(({ backendRefs }) => backendRefs)
      .map(({ name, weight }) => `${name} ${weight}`)

  async function later(ms: number): Promise<string> {
    world.clock.at += ms
    return (await world.reconcile()).reason
  }

  async function live(): Promise<void> {
    await world.reconcile()
    fillServices()
    await later(5000)
    judge(true)
    expect(await later(5000)).toBe('Live')
  }

  it('gets its route once the versions have endpoints of their own, and is live once that is accepted', async () => {
    expect((await world.reconcile()).reason).toBe('Settling')
    expect(world.cluster.peek('Service', 'web-v2')?.spec?.selector).toEqual({ track: 'x', version: 'v2' })
    expect(await later(5000)).toBe('WaitingForEndpoints')
    expect(world.message('EndpointsReady')).toContain('in Service web-v1')
    fillServices()
    expect(await later(2000)).toBe('Settling')
    expect(weights()).toEqual(['web-v1 100'])
    expect(await later(5000)).toBe('WaitingForAcceptance')
    judge(false)
    expect(await later(2000)).toBe('NotAccepted')
    expect(world.message('Ready')).toContain('Accepted Said: so it is')
    expect(world.placement.liveRevision).toBe(0)
    judge(true)
    expect(await later(2000)).toBe('Live')
    expect(world.placement).toMatchObject({ rung: 'accepted', weights: { v1: 100 } })
  })

  it('names a candidate at 0, and raises it only when the route is accepted again', async () => {
    await live()
    world.rollout('progressing', 10)
    await world.reconcile()
    expect(weights()).toEqual(['web-v1 100', 'web-v2 0'])
    expect(await later(5000)).toBe('WaitingForAcceptance')
    judge(true)
    expect(await later(2000)).toBe('Settling')
    expect(weights()).toEqual(['web-v1 90', 'web-v2 10'])
    judge(true)
    expect(await later(5000)).toBe('Live')
  })

  it('takes requests back at once, whatever the controller says', async () => {
    await live()
    world.rollout('progressing', 10)
    await world.reconcile()
    judge(true)
    await later(5000)
    judge(false)
    world.rollout('rolling-back', 10)
    await world.reconcile()
    expect(weights()).toEqual(['web-v1 100', 'web-v2 0'])
    expect(world.placement.weightsLive?.revision).toBe(world.store.peek('service', 'shop/web')?.renderRevision)
  })

  it('leaves nothing behind: routes go first, the Services that they name after them', async () => {
    await live()
    world.service(() => ({ targets: {}, leaving: ['east'] }))
    await world.reconcile()
    expect(world.cluster.peek('HTTPRoute', ROUTE)).toBeUndefined()
    expect(world.cluster.peek('Service', 'web-v1')).toBeDefined()
    await later(5000)
    await later(5000)
    expect(world.cluster.peek('Service', 'web-v1')).toBeUndefined()
    expect(world.cluster.peek('Service', 'web-v2')).toBeUndefined()
  })

  it('stands back from a route of others for the same host and path', async () => {
    world.cluster.edit('kubectl', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'theirs', namespace: 'pay' },
      spec: { parentRefs: [{ name: 'public', namespace: 'gateways' }], hostnames: ['web.example.com'], rules: [{}] },
    })
    await world.reconcile()
    expect(world.condition('Conflict')).toBe('True OwnedByOthers')
    expect(world.message('Conflict')).toContain('HTTPRoute pay/theirs')
    expect(world.cluster.peek('HTTPRoute', ROUTE)).toBeUndefined()
  })
})
