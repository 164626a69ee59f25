import { beforeEach, describe, expect, it } from 'vitest'
import { PortError } from '../../../src/ports/port-error.ts'
import { ImageWorld, stableDeployment } from './image-world.ts'
import { autoscaler, deployment } from './workloads.ts'

let world: ImageWorld
beforeEach(async () => {
  world = new ImageWorld()
  await world.settle()
  world.cluster.forget()
})

describe('the Deployment that lost', () => {
  it('of stable goes to 0 after the promotion, not before requests under way are through', async () => {
    await world.at(100)
    world.end('source')
    const first = await world.reconcile()
    expect(world.weights).toEqual({ v3: 100 })
    expect(world.condition('ScaledDown')).toBe('Unknown Draining')
    expect(Date.parse(first.again ?? '') - world.clock.at).toBeLessThanOrEqual(5000)
    world.clock.at += 29_000
    await world.reconcile()
    expect(world.replicas('web-v1')).toBe(10)
    expect(world.condition('Ready')).toBe('True Live')
    await world.settle()
    expect(world.replicas('web-v1')).toBe(0)
    expect(world.cluster.peek('Deployment', 'web-v1')?.spec?.template).toBeDefined()
    expect(world.condition('ScaledDown')).toBe('True Done')
    expect(world.replicas('web-v3')).toBe(10)
  })

  it('is scaled down once: who starts it again keeps it', async () => {
    await world.at(100)
    world.end('source')
    await world.settle()
    world.cluster.edit('kubectl', stableDeployment(3))
    world.spec({ traffic: { timeout: '3s' } })
    await world.settle()
    expect(world.replicas('web-v1')).toBe(3)
  })

  it('is not scaled down again when nothing is known of it but what it says itself', async () => {
    await world.at(100)
    world.end('source')
    await world.settle()
    world.cluster.change('kubectl', 'Deployment', 'web-v1', (object) => ({
      ...object,
      spec: { ...object.spec, replicas: 3 },
    }))
    const { scaledDown: _, ...placement } = world.placement
    world.store.put(placement)
    world.spec({ traffic: { timeout: '3s' } })
    await world.settle()
    expect(world.replicas('web-v1')).toBe(3)
    expect(world.placement.scaledDown).toMatchObject([{ version: 'v1', status: 'done' }])
  })

  it('of the candidate goes to 0 after a way back, and stays to be looked at', async () => {
    await world.at(50)
    world.image('rolling-back', { highestWeight: 50 })
    await world.reconcile()
    world.end('made')
    await world.settle()
    expect(world.replicas('web-v3')).toBe(0)
    expect(world.replicas('web-v1')).toBe(10)
    expect(JSON.stringify(world.made?.spec)).toContain('registry.example.com/web:3')
    expect(world.made?.metadata.annotations?.['meshwright.io/scaled-down-after']).toBe('shop.web.k3')
  })

  it('is left alone for good, and people are told, when an autoscaler scales it', async () => {
    await world.at(100)
    world.cluster.edit('kubectl', autoscaler('web', 'web-v1'))
    world.end('source')
    await world.settle()
    expect(world.replicas('web-v1')).toBe(10)
    expect(world.condition('ScaledDown')).toBe('False HasAutoscaler')
    expect(world.events()).toContain('placement.left-running')
    world.cluster.forget()
    await world.settle()
    expect(world.applied()).toEqual([])
  })

  it('is left alone when a tool came to own it', async () => {
    await world.at(100)
    world.annotate('Deployment', 'web-v1', { 'argocd.argoproj.io/tracking-id': 'x' })
    world.end('source')
    await world.settle()
    expect(world.condition('ScaledDown')).toBe('False OwnedByTool')
    expect(world.replicas('web-v1')).toBe(10)
  })

  it('is left alone when it serves another service of the namespace', async () => {
    await world.at(100)
    world.neighbour('internal', 'web')
    world.end('source')
    await world.settle()
    expect(world.condition('ScaledDown')).toBe('False StillServes')
    expect(world.replicas('web-v1')).toBe(10)
  })

  it('is scaled down beside another service whose versions have the same label', async () => {
    await world.at(100)
    world.neighbour('cart', 'cart')
    world.end('source')
    await world.settle()
    expect(world.condition('ScaledDown')).toBe('True Done')
  })

  it('is not touched while a route names it again', async () => {
    await world.at(100)
    world.end('source')
    world.spec({ traffic: { weights: { v1: 50, v3: 50 } } })
    await world.settle()
    expect(world.weights).toEqual({ v1: 50, v3: 50 })
    expect(world.replicas('web-v1')).toBe(10)
  })

  it('waits while a Meshwright with newer data holds it, says so, and comes again', async () => {
    await world.at(100)
    world.end('source')
    world.annotate('Deployment', 'web-v1', { 'meshwright.io/revision': '999' })
    const outcome = await world.settle(5)
    expect(world.condition('ScaledDown')).toBe('Unknown FencedOff')
    expect(outcome.again).toBeDefined()
  })

  it('is not what another deployed under its name where the rollout made none', async () => {
    world.cluster.edit('kubectl', deployment('web-v3', { app: 'web', version: 'v3' }))
    world.end('made')
    await world.settle()
    expect(world.replicas('web-v3')).toBeUndefined()
    expect(world.applied()).not.toContain('apply Deployment')
    expect(world.message('ScaledDown')).toBe('There is no Deployment web-v3 (v3) that the rollout made.')
  })

  it('is not what another rollout of the service made under its name', async () => {
    await world.at(50)
    world.annotate('Deployment', 'web-v3', { 'meshwright.io/rollout': 'shop.web.k9' })
    world.end('made')
    await world.settle()
    expect(world.replicas('web-v3')).toBe(10)
  })

  it('is not known to be gone while the right to list Deployments is missing', async () => {
    await world.at(100)
    world.end('source')
    world.cluster.before = (request) => {
      if (request === 'list Deployment') throw new PortError('denied', 'Kubernetes', 'forbidden')
    }
    await world.settle(8)
    expect(world.condition('ScaledDown')).toBe('Unknown Denied')
    world.cluster.before = () => undefined
    await world.settle()
    expect(world.replicas('web-v1')).toBe(0)
  })

  it('is left running when a newer rollout names it after the pass looked', async () => {
    await world.at(100)
    world.end('source')
    await world.settle(2)
    world.clock.at += 60_000
    world.cluster.before = (request) => {
      if (request !== 'list HorizontalPodAutoscaler') return
      world.cluster.before = () => undefined
      world.spec({ traffic: { weights: { v1: 50, v3: 50 } } })
    }
    await world.settle()
    expect(world.replicas('web-v1')).toBe(10)
    expect(world.weights).toEqual({ v1: 50, v3: 50 })
  })

  it('is left running when a newer route is on the cluster than the pass looked at', async () => {
    await world.at(100)
    world.end('source')
    await world.settle(2)
    world.clock.at += 60_000
    let reads = 0
    world.cluster.before = (request) => {
      if (request === 'get VirtualService' && ++reads === 2)
        world.annotate('VirtualService', 'web', { 'meshwright.io/revision': '999' })
    }
    await world.reconcile()
    expect(world.replicas('web-v1')).toBe(10)
  })

  it('waits while a freeze stops changes, and says so', async () => {
    await world.at(100)
    world.end('source')
    await world.reconcile()
    world.freeze({ reason: 'sale', scope: {}, covers: ['configuration'] })
    await world.settle(5)
    expect(world.replicas('web-v1')).toBe(10)
    expect(world.condition('ScaledDown')).toBe('Unknown FreezeActive')
    world.store.documents.delete('freeze holiday')
    await world.settle()
    expect(world.replicas('web-v1')).toBe(0)
  })
})

describe('a service that leaves the cluster', () => {
  it('leaves the Deployment that serves it, without our marks', async () => {
    await world.at(100)
    world.end('source')
    await world.settle()
    world.service(() => ({ targets: {}, leaving: ['east'] }))
    const outcome = await world.settle()
    expect(outcome.state).toBe('removed')
    expect(world.weights).toBeUndefined()
    expect(world.replicas('web-v3')).toBe(10)
    expect(world.store.peek('placement', 'shop/web/east')).toBeUndefined()
  })

  it.each(['list Deployment', 'apply Deployment'])(
    'goes though the right to %s is gone, and people are told',
    async (right) => {
      await world.at(100)
      world.end('source')
      await world.settle()
      const told: string[] = []
      world.store.beforeWrite = ({ outbox }) => {
        told.push(
          ...outbox.flatMap((entry) => (entry.kind === 'event' ? [`${entry.event.type}: ${entry.event.message}`] : [])),
        )
      }
      world.cluster.before = (request) => {
        if (request === right) throw new PortError('denied', 'Kubernetes', 'forbidden')
      }
      world.service(() => ({ targets: {}, leaving: ['east'] }))
      expect((await world.settle()).state).toBe('removed')
      expect(told).toContainEqual(expect.stringMatching(/^placement.marks-left: Deployment shop\/web-v3 on east/))
      expect(world.replicas('web-v3')).toBe(10)
    },
  )

  it('leaves no Pods of a Deployment that a slow call made when it had left', async () => {
    world.image('preflight')
    world.cluster.afterWrite = (request) => {
      if (request !== 'apply Deployment') return
      world.cluster.afterWrite = () => undefined
      world.store.documents.delete('service shop/web')
      world.store.documents.delete('placement shop/web/east')
    }
    expect(await world.settle()).toMatchObject({ state: 'removed' })
    expect(world.replicas('web-v3')).toBe(0)
  })
})

describe('the inventory', () => {
  it('forgets a Deployment that somebody deleted, once Deployments are looked at', async () => {
    await world.at(50)
    world.end('made')
    world.cluster.objects.delete('apps/v1/Deployment/shop/web-v3')
    await world.settle()
    expect(world.placement.objects.map(({ kind }) => kind)).not.toContain('Deployment')
  })
})
