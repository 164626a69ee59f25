import { beforeEach, describe, expect, it } from 'vitest'
import { sharedHolds } from '../../../src/mesh-ca/shared-root.ts'
import type { CaRotation } from '../../../src/model/ca-rotation.ts'
import type { MeshCaDocument } from '../../../src/model/documents.ts'
import { aMeshCa } from '../fakes/documents.ts'
import { aSet, rotation } from './gate-input.ts'
import { aSpec, createWorld, type World } from './world.ts'

let world: World
beforeEach(() => {
  world = createWorld()
})

const east = (change: Partial<CaRotation> = {}) => aMeshCa({ rotation: rotation({ phase: 'narrowing', ...change }) })
function west(change: Partial<MeshCaDocument>, cluster = 'west'): void {
  world.store.put(aMeshCa({ name: 'west-ca', spec: aSpec({ cluster }), ...change }))
}
const reasons = async (document: MeshCaDocument) =>
  (await sharedHolds(world.deps, document)).map(({ kind, reason }) => `${kind} ${reason}`)

describe('a root that is to leave', () => {
  it('stays while leaves of another cluster rest on it, and people are told which, and of the way back', async () => {
    west({ current: aSet('sw', 'a') })
    expect(await reasons(east())).toEqual(['shared RootShared'])
    expect(await reasons(east({ phase: 'renewing' }))).toEqual(['shared RootShared'])
    const [hold] = await sharedHolds(world.deps, east())
    expect(hold?.message).toMatch(/west-ca \(cluster west\).*one mesh.*abort/)
  })

  it.each<[string, Partial<CaRotation>]>([
    ['before that is near', { phase: 'switching' }],
    ['once it is written', { writtenAt: '2030-01-01T00:00:00Z' }],
    ['on the way back', { direction: 'back' }],
    ['of an intermediate', { what: 'intermediate', phase: 'renewing' }],
  ])('is nobody’s concern %s', async (_, change) => {
    west({ current: aSet('sw', 'a') })
    expect(await reasons(east(change))).toEqual([])
  })

  it('leaves where others rest on another root, or are of the same cluster', async () => {
    west({ current: aSet('sw', 'c') })
    expect(await reasons(east())).toEqual([])
    west({ current: aSet('sw', 'a') }, 'east')
    expect(await reasons(east())).toEqual([])
  })

  it('waits for the other to renew its leaves, and then no more: two that share a root do not wait for each other', async () => {
    const wide = { ...aSet('sw', 'c'), roots: [...aSet('x', 'a').roots, ...aSet('x', 'c').roots], base: 'c' }
    const other = (phase: CaRotation['phase']) => rotation({ phase, from: aSet('s0', 'a'), written: wide })
    west({ current: wide, rotation: other('renewing') })
    expect(await reasons(east())).toEqual(['shared RootShared'])
    west({ current: wide, rotation: other('narrowing') })
    expect(await reasons(east())).toEqual([])
    west({ current: aSet('sw', 'c'), rotation: other('succeeded') })
    expect(await reasons(east())).toEqual([])
  })
})

describe('a rotation of the root that comes to it', () => {
  it('holds before it narrows, says so once, and can be aborted', async () => {
    await world.established()
    const { current } = world.document()
    await world.rotate('root')
    await world.until('switching')
    west(current ? { current } : {})
    await world.until('narrowing')
    await world.advance()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'narrowing', reason: 'RootShared' })
    expect(world.rotation()?.askedUntil).toBeUndefined()
    expect(world.events().filter((one) => one === 'held RootShared')).toHaveLength(1)
    expect((await world.act('abort')).ok).toBe(true)
    await world.until()
    expect(world.rotation()).toMatchObject({ phase: 'aborted' })
  })

  it('goes on when the other has another root', async () => {
    await world.established()
    const { current } = world.document()
    await world.rotate('root')
    await world.until('switching')
    west(current ? { current } : {})
    await world.until('narrowing')
    west({ current: aSet('sw', 'c') })
    await world.until()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
  })
})
