import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/mesh-ca/linkerd-gates.ts'
import type { RestartIntent } from '../../../src/model/restarts.ts'
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
    anchors === undefined ? isOld(pod) : sha256(pod.anchors) !== anchors
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
