import { beforeEach, describe, expect, it } from 'vitest'
import { freezeSpec } from '../../../src/model/freeze.ts'
import type { RestartsState } from '../../../src/model/restarts.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { AT, aCluster } from '../fakes/documents.ts'
import { createWorld, DAY, HOUR, MINUTE, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = createWorld()
  await world.established()
})

const restarting = () => world.rotation()?.restarting
/** Until the proxies are waited for, and a little longer than replicas of istiod may differ. */
async function waiting(change: object = { restarts: {} }): Promise<void> {
  await world.put({ ...change })
  await world.rotate('intermediate')
  await world.until('renewing')
  await world.live(20 * MINUTE, MINUTE)
  expect(world.rotation()?.phase).toBe('renewing')
}

function seen(change: Partial<RestartsState> = {}): void {
  const restarts: RestartsState = {
    intent: restarting() ?? { olderThan: '' },
    underWay: [{ kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'u', since: AT }],
    done: 12,
    left: 27,
    cannot: [],
    waiting: [],
    told: 'begun',
    ...change,
  }
  world.store.put({ ...world.mesh.look(world.now()), restarts })
}

describe('a rotation that waits for proxies', () => {
  it('wants none restarted unless it is said', async () => {
    await waiting({})
    expect(restarting()).toBeUndefined()
  })

  it('wants those restarted that started before the last istiod took it, once that moment has passed, and no sooner', async () => {
    await world.put({ restarts: {} })
    await world.rotate('intermediate')
    await world.until('renewing')
    const { takenAt = '' } = world.rotation() ?? {}
    const settled = Date.parse(takenAt) + 15 * MINUTE
    world.pass(settled - world.now())
    world.see()
    await world.advance()
    expect(restarting()).toBeUndefined()
    expect(Date.parse(world.document().dueAt ?? '')).toBe(settled + 1)
    world.pass(1)
    await world.advance()
    expect(restarting()).toEqual({ olderThan: new Date(settled).toISOString() })
    const work = world.store.sent.filter(({ message }) => message.kind === 'trust').length
    await world.advance()
    expect(world.store.sent.filter(({ message }) => message.kind === 'trust')).toHaveLength(work)
  })

  it('wants none restarted where restarts would open nothing', async () => {
    world.mesh.others = 'ambient'
    await waiting()
    expect(restarting()).toBeUndefined()
    expect(world.rotation()?.message).toContain('ztunnel')
  })

  it('goes on when no Pod is left that is as old as what it wanted restarted', async () => {
    await waiting()
    const olderThan = Date.parse(restarting()?.olderThan ?? '')
    world.mesh.restartAll(olderThan)
    world.see()
    await world.advance()
    expect(world.rotation()?.phase).toBe('renewing')
    world.mesh.restartAll(olderThan + 1)
    world.see()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
    expect(restarting()).toBeUndefined()
  })

  it('wants them in both phases of a rotation of the root, each by its own time, and is over in less than an hour', async () => {
    await world.put({ restarts: {} })
    const began = world.now()
    await world.rotate('root')
    const intents = new Set<string>()
    for (let turn = 0; turn < 60 && world.rotation()?.phase !== 'succeeded'; turn += 1) {
      world.pass(MINUTE)
      world.mesh.poll(world.now())
      const { olderThan } = restarting() ?? {}
      if (olderThan !== undefined && !intents.has(olderThan)) world.mesh.restartAll(world.now())
      if (olderThan !== undefined) intents.add(olderThan)
      world.see()
      await world.advance()
      expect(world.mesh.broken(world.now())).toBe(0)
    }
    expect(world.rotation()?.phase).toBe('succeeded')
    expect(intents.size).toBe(2)
    expect(world.now() - began).toBeLessThan(HOUR)
  })

  it('shows how far they are, and says who is in the way', async () => {
    await waiting()
    seen()
    await world.advance()
    expect(world.rotation()).toMatchObject({ reason: 'WaitsForProxies', restarts: { done: 12, left: 27 } })
    expect(world.rotation()?.message).toMatch(
      /restarted\. 12 of 40 workloads restarted; Deployment shop\/web is under way\.$/,
    )
    seen({ stuck: 'Deployment shop/web' })
    await world.advance()
    expect(world.rotation()).toMatchObject({ reason: 'RestartStuck', restarts: { stuck: 'Deployment shop/web' } })
    seen()
    await world.advance()
    expect(world.rotation()?.reason).toBe('WaitsForProxies')
    expect(world.rotation()?.message.match(/workloads restarted/g)).toHaveLength(1)
    seen({ intent: { olderThan: AT } })
    await world.advance()
    expect(world.rotation()).not.toHaveProperty('restarts')
  })
})

describe('it wants none restarted any more', () => {
  const freeze = () =>
    world.store.put({
      ...{ schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] },
      ...{ kind: 'freeze', name: 'sale' },
      spec: freezeSpec.parse({ reason: 'sale', covers: ['configuration'], scope: {} }),
    })
  const aks = (change: object) => aCluster('east', { aks: { ...AKS, ...change } as never })
  const AKS = { powerState: 'Running', provisioningState: 'Succeeded' }
  it.each<[string, () => unknown]>([
    ['a person pauses it', () => world.act('pause')],
    ['a freeze begins', freeze],
    ['its own window closes', () => world.put({ restarts: {}, windows: [{ cron: '0 3 29 2 *', for: '1h' }] })],
    ['that of restarts closes', () => world.put({ restarts: { windows: [{ cron: '0 3 29 2 *', for: '1h' }] } })],
    ['restarts are turned off', () => world.put({})],
    [
      'the cluster is only observed',
      () => {
        const cluster = aCluster('east')
        world.store.put({ ...cluster, spec: { ...cluster.spec, mode: 'observe' } })
      },
    ],
    ['Azure changes the cluster', () => world.store.put(aks({ provisioningState: 'Updating' }))],
    [
      'connections fail',
      () => {
        world.mesh.failures = { now: 100, before: 0 }
        world.see()
      },
    ],
    [
      'the cluster cannot be looked at',
      () => {
        world.store.put({
          ...world.mesh.look(world.now()),
          state: 'failed',
          reason: 'Unreachable',
          message: 'No answer.',
        })
      },
    ],
    [
      'the vault does not answer',
      () => {
        world.vault.interrupt = () => {
          throw new PortError('unavailable', 'Key Vault', 'down')
        }
      },
    ],
    ['it is taken back', () => world.act('abort')],
  ])('when %s', async (_, happens) => {
    await waiting()
    expect(restarting()).toBeDefined()
    seen()
    await happens()
    await world.advance()
    expect(restarting()).toBeUndefined()
    expect(world.rotation()).not.toHaveProperty('restarts')
  })

  it('and again when it is resumed', async () => {
    await waiting()
    await world.act('pause')
    await world.advance()
    await world.act('resume')
    await world.advance()
    expect(restarting()).toBeDefined()
  })

  it('after the time that leaves live', async () => {
    await waiting()
    await world.live(DAY, HOUR)
    expect(world.rotation()?.phase).toBe('succeeded')
    expect(restarting()).toBeUndefined()
  })
})

describe('the settings of restarts', () => {
  it('have windows that can come', async () => {
    await expect(world.put({ restarts: { windows: [{ cron: '0 3 31 2 *', for: '1h' }] } })).rejects.toThrow(
      '/restarts/windows/0/cron',
    )
  })
})
