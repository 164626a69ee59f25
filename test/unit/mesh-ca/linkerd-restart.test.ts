import { beforeEach, describe, expect, it } from 'vitest'
import { textHash } from '../../../src/mesh/linkerd/identity.ts'
import { enter } from '../../../src/mesh-ca/step.ts'
import { freezeSpec } from '../../../src/model/freeze.ts'
import type { RestartIntent, RestartsState } from '../../../src/model/restarts.ts'
import { AT, aCluster } from '../fakes/documents.ts'
import { createLinkerdWorld, type LinkerdWorld } from './linkerd-world.ts'
import { HOUR, MINUTE } from './world.ts'

let world: LinkerdWorld
beforeEach(async () => {
  world = createLinkerdWorld()
  await world.established({ restarts: {} })
})

/** Restarts what the intent wants and nothing else, the control plane first; true when there was something. */
function carryOut({ olderThan, anchors, controlPlane }: RestartIntent): boolean {
  const isOld = ({ started }: { started: number }) => started <= Date.parse(olderThan)
  if (controlPlane && world.mesh.controlPlane.some(isOld)) {
    world.mesh.restartControlPlane(world.now())
    return true
  }
  const isAsked = (pod: { started: number; anchors: string }) =>
    anchors === undefined ? isOld(pod) : textHash(pod.anchors) !== anchors
  if (controlPlane === 'alone' || !world.mesh.pods.some(isAsked)) return false
  world.mesh.restartAll(world.now())
  return true
}

describe('a rotation of Linkerd’s anchor whose restarts are Meshwright’s', () => {
  it('needs no hand: what it wants restarted opens every gate, nobody is called, and no connection breaks', async () => {
    const told = world.events().length
    await world.rotate('root')
    const began = world.now()
    const wanted = new Map<string, RestartIntent>()
    for (let turn = 0; turn < 200 && world.rotation()?.phase !== 'succeeded'; turn += 1) {
      await world.advance()
      const { phase = '', restarting } = world.rotation() ?? {}
      if (restarting) {
        wanted.set(phase, restarting)
        carryOut(restarting)
      }
      expect(world.mesh.broken(world.now())).toBe(0)
      world.live(MINUTE)
      world.see()
    }
    expect(world.rotation()?.phase).toBe('succeeded')
    expect(world.rotation()).not.toHaveProperty('restarting')
    expect(
      [...wanted].map(([phase, { controlPlane, anchors }]) => [phase, controlPlane, anchors !== undefined]),
    ).toEqual([
      ['widening', 'alone', false],
      ['trusting', 'first', true],
      ['renewing', 'first', false],
      ['narrowing', 'first', true],
    ])
    expect(world.now() - began).toBeLessThan(3 * HOUR)
    expect(
      world
        .events()
        .slice(told)
        .filter((event) => event.startsWith('held')),
    ).toEqual([])
  })

  it('wants none restarted while switching, and calls people when what is left is theirs', async () => {
    await world.rotate('root')
    await world.until('trusting')
    world.live(MINUTE)
    world.see()
    await world.advance()
    const { restarting } = world.rotation() ?? {}
    if (!restarting) throw new Error('it wants nothing restarted')
    const held = () => world.events().filter((event) => event === 'held WaitsForRestarts').length
    expect(held()).toBe(0)
    const restarts = { intent: restarting, underWay: [], done: 3, left: 0, cannot: ['Pod shop/a: bare'], waiting: [] }
    for (let turn = 0; turn < 3; turn += 1) {
      world.store.put({ ...world.mesh.look(world.now()), restarts })
      await world.advance()
      world.live(MINUTE)
    }
    expect(held()).toBe(1)
    expect(world.rotation()?.message).toMatch(/3 of 3 workloads restarted\. One is left to you: Pod shop\/a: bare\.$/)
  })
})

describe('restarts that Meshwright does not make', () => {
  const LINKERD = { mesh: { provider: 'linkerd', namespace: 'linkerd' } } as const
  const AKS = { powerState: 'Running', provisioningState: 'Updating' }
  let toldBefore = 0
  beforeEach(() => {
    toldBefore = world.store.kept.length
  })
  const held = () =>
    world.store.kept
      .slice(toldBefore)
      .filter(({ type, reason }) => type === 'certificate.held' && reason.startsWith('WaitsFor'))

  async function trusting(): Promise<RestartIntent> {
    await world.rotate('root')
    await world.until('trusting')
    world.live(MINUTE)
    world.see()
    await world.advance()
    const { restarting } = world.rotation() ?? {}
    if (!restarting) throw new Error('it wants nothing restarted')
    toldBefore = world.store.kept.length
    return restarting
  }

  async function wait(restarts?: Partial<RestartsState>, turns = 5): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      const { restarting: intent = { olderThan: AT } } = world.rotation() ?? {}
      const state = { intent, underWay: [], done: 3, left: 0, cannot: [], waiting: [], ...restarts }
      world.store.put({ ...world.mesh.look(world.now()), ...(restarts ? { restarts: state } : {}) })
      await world.advance()
      world.live(30 * MINUTE)
    }
  }

  it.each<[string, RegExp, () => void]>([
    [
      'a freeze',
      /Freeze sale holds: sale\.$/,
      () =>
        world.store.put({
          ...{ schema: 1, outbox: [], createdAt: AT, updatedAt: AT, generation: 1, idempotency: [] },
          ...{ kind: 'freeze', name: 'sale' },
          spec: freezeSpec.parse({ reason: 'sale', covers: ['configuration'], scope: {} }),
        }),
    ],
    [
      'a cluster that is only observed',
      /only observed/,
      () => {
        const cluster = aCluster('east', LINKERD)
        world.store.put({ ...cluster, spec: { ...cluster.spec, mode: 'observe' } })
      },
    ],
    [
      'a change by Azure',
      /Azure is changing cluster east/,
      () => world.store.put(aCluster('east', { ...LINKERD, aks: AKS as never })),
    ],
  ])('for %s are told of once, with the reason', async (_, words, happens) => {
    await trusting()
    happens()
    await wait()
    expect(held()).toHaveLength(1)
    expect(held()[0]?.message).toMatch(words)
  })

  it.each<[string, RegExp, Partial<RestartsState>]>([
    [
      'all that is left waits for others',
      /7 not for now: Deployment shop\/a: not now\.$/,
      { left: 7, waiting: ['Deployment shop/a: not now'], waitingCount: 7 },
    ],
    [
      'something holds them',
      /Restarts are held: no right\.$/,
      { left: 7, held: { reason: 'Denied', message: 'no right.' } },
    ],
  ])('since %s are told of once', async (_, words, restarts) => {
    await trusting()
    await wait(restarts)
    expect(held()).toHaveLength(1)
    expect(held()[0]?.message).toMatch(words)
  })

  it('yet are told to nobody while some are under way, can be begun, or wait for a window that comes', async () => {
    await trusting()
    const entry = { kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'u', since: AT } as const
    await wait({ underWay: [entry], waiting: ['Deployment shop/a: not now'], left: 1 })
    await wait({ left: 7, waiting: ['Deployment shop/a: not now'], waitingCount: 6 })
    expect(held()).toEqual([])
    await world.put({ restarts: { windows: [{ cron: '0 3 29 2 *', for: '1h' }] } })
    await wait({ left: 7, waiting: ['Deployment shop/a: not now'], waitingCount: 7 })
    expect(held()).toEqual([])
  })

  it('of the phase before say nothing of the next', async () => {
    const restarts = { underWay: [], done: 5, left: 0, cannot: [], waiting: [] }
    const rotationOf = () => {
      const found = world.rotation()
      if (!found) throw new Error('no rotation')
      return found
    }
    await world.rotate('root')
    for (let turn = 0; turn < 50 && world.rotation()?.phase !== 'trusting'; turn += 1) {
      await world.advance()
      const { restarting } = world.rotation() ?? {}
      if (restarting) world.mesh.restartControlPlane(world.now())
      world.live(MINUTE)
      world.store.put({
        ...world.mesh.look(world.now()),
        ...(restarting ? { restarts: { intent: restarting, ...restarts } } : {}),
      })
    }
    const step = { document: { ...world.document(), rotation: { ...rotationOf(), restarts } }, entries: [] }
    expect(enter(step, 'narrowing', 'Entered', '', world.now()).document.rotation).not.toHaveProperty('restarts')
    expect(world.rotation()?.phase).toBe('trusting')
    expect(world.rotation()).not.toHaveProperty('restarts')
    expect(held()).toEqual([])
  })
})
