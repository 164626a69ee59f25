import { beforeEach, describe, expect, it } from 'vitest'
import { resyncCluster } from '../../../src/reconcile/resync-cluster.ts'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = new World()
  await world.settle()
  world.cluster.forget()
})

const workload = { labels: { app: 'web' } }
const issuers = [{ issuer: 'https://id.example.com', jwksUri: 'https://id.example.com/keys', audiences: ['web'] }]
const byCaller = { allow: [{ name: 'cart', serviceAccounts: ['shop/cart'] }] }
const writes = () => world.cluster.forget().filter((request) => /^(apply|remove)/.test(request))

describe('a policy on a cluster', () => {
  it('comes in one go but for what waits for others, and goes in the other order', async () => {
    world.spec({ workload, security: { mtls: 'strict', authentication: { issuers }, authorization: byCaller } })
    await world.reconcile()
    expect(writes()).toEqual(['apply PeerAuthentication', 'apply RequestAuthentication'])
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(writes()).toEqual(['apply AuthorizationPolicy', 'apply AuthorizationPolicy', 'apply VirtualService'])
    world.spec({ security: undefined })
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(writes().filter((request) => request.startsWith('remove'))).toEqual([
      'remove AuthorizationPolicy',
      'remove AuthorizationPolicy',
      'remove RequestAuthentication',
      'remove PeerAuthentication',
    ])
    expect(world.placement.objects.map(({ kind }) => kind).sort()).toEqual(['DestinationRule', 'VirtualService'])
  })

  it('lets rules by caller go before mutual TLS does, and proxies take that first', async () => {
    world.spec({ workload, security: { mtls: 'strict', authorization: byCaller } })
    await world.settle()
    writes()
    world.spec({ security: { mtls: 'disabled' } })
    await world.reconcile()
    expect(writes()).not.toContain('apply PeerAuthentication')
    expect(world.cluster.peek('AuthorizationPolicy', 'web-allow')).toBeUndefined()
    const removedAt = world.clock.at
    expect(await world.settle()).toMatchObject({ state: 'live' })
    expect(writes()).toContain('apply PeerAuthentication')
    expect(world.cluster.peek('PeerAuthentication', 'web')?.spec).toMatchObject({ mtls: { mode: 'DISABLE' } })
    expect(world.clock.at).toBeGreaterThanOrEqual(removedAt + 5000)
  })

  it('reaches the cluster where a part of an object goes', async () => {
    world.spec({ traffic: { connections: { maxConnections: 5 }, loadBalancing: 'random' } })
    await world.settle()
    const policy = () => world.cluster.peek('DestinationRule', 'web')?.spec?.trafficPolicy
    expect(policy()).toMatchObject({ connectionPool: {}, loadBalancer: {} })
    world.spec({ traffic: { loadBalancing: 'random' } })
    await world.settle()
    expect(policy()).toEqual({ loadBalancer: { simple: 'RANDOM' } })
    world.spec({ traffic: undefined })
    await world.settle()
    expect(policy()).toBeUndefined()
  })

  it('that is bound to labels which no Pod has is told, and no more when no labels are named', async () => {
    world.spec({ workload: { labels: { app: 'webb' } }, security: { mtls: 'strict' } })
    await world.settle()
    expect(world.condition('PodsBound')).toBe('False WorkloadDiffers')
    expect(world.message('PodsBound')).toContain('app=webb')
    world.spec({ workload: undefined, security: undefined })
    await world.settle()
    expect(world.condition('PodsBound')).toBe('Unknown NoWorkload')
  })

  it('meets another policy for the same Pods as a conflict, and looks for none where it has none itself', async () => {
    world.cluster.edit('kubectl', {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 'theirs', namespace: 'shop' },
      spec: { selector: { matchLabels: { app: 'web' } }, mtls: { mode: 'PERMISSIVE' } },
    })
    world.spec({ traffic: { timeout: '5s' } })
    await world.settle()
    expect(world.cluster.forget()).not.toContain('list PeerAuthentication')
    world.spec({ workload, security: { mtls: 'strict' } })
    expect(await world.settle(2)).toMatchObject({ state: 'stopped', reason: 'OwnedByOthers' })
    expect(world.message('Conflict')).toContain('PeerAuthentication shop/theirs')
  })

  it('is looked for by resync where a service has one, or orphans are to go', async () => {
    const kinds = async (options = {}) => {
      world.cluster.forget()
      await resyncCluster(world.deps, 'east', options)
      return world.cluster.forget().filter((request) => request.includes('AuthorizationPolicy'))
    }
    expect(await kinds()).toEqual([])
    expect(await kinds({ confirm: true })).toHaveLength(1)
    world.spec({ workload, security: { authorization: byCaller } })
    await world.settle()
    expect(await kinds()).toHaveLength(1)
  })
})
