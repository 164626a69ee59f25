import { beforeEach, describe, expect, it } from 'vitest'
import { caConditions } from '../../../src/mesh-ca/conditions.ts'
import { observeCa } from '../../../src/mesh-ca/observe.ts'
import { createTornWorld, DENIED, LOST, THROTTLED } from './torn-world.ts'
import { DAY, HOUR, MINUTE } from './world.ts'

let world: ReturnType<typeof createTornWorld>
beforeEach(() => {
  world = createTornWorld()
})

describe('a write that the vault does not let through', () => {
  it.each([
    ['denied', DENIED, 'VaultDenied'],
    ['throttled', THROTTLED, 'VaultThrottled'],
    ['lost', LOST, 'VaultUnavailable'],
  ])('is put back at once: %s at the key', async (_, error, reason) => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    world.failing({ 'set ca-key': error })
    await world.advance()
    expect(world.inVault()).toEqual(before)
    expect(world.faults()).toEqual([])
    expect(world.sets().slice(4)).toEqual([
      'set root-cert',
      'set cert-chain',
      'set ca-cert',
      'set ca-key',
      // The key was not written, so it is not touched.
      'set ca-cert',
      'set cert-chain',
      'set root-cert',
    ])
    expect(world.rotation()?.reason).toBe(reason)
    await world.advance()
    expect(world.issued()).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it('leaves nothing that would stand in the way of the next rotation, and nobody is told of another hand', async () => {
    await world.established()
    await world.rotate('intermediate')
    world.failing({ 'set ca-key': DENIED })
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'failed', reason: 'VaultDenied' })
    // Asked at once, before anybody looked at what was put back.
    await world.rotate('intermediate')
    world.well()
    await world.until()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
    expect(world.events()).not.toContain('changed-elsewhere ChangedElsewhere')
    expect(world.mesh.refusals).toBe(0)
  })

  it('is tried again by the schedule after a failure that was put back', async () => {
    await world.established()
    world.failing({ 'set ca-key': DENIED })
    world.pass(250 * DAY)
    world.see()
    await world.advance()
    await world.advance()
    expect(world.document().history[0]).toMatchObject({ phase: 'failed', reason: 'VaultDenied' })
    expect(world.faults()).toEqual([])
    world.well()
    await world.live(2 * HOUR)
    expect(world.rotation()).toMatchObject({ what: 'intermediate', phase: 'renewing' })
  })

  it('does not end while it cannot be put back: people are told, and it is the first thing of the next look', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    let isWritten = false
    world.vault.interrupt = (call, when) => {
      if (call === 'set ca-key') isWritten = true
      if (isWritten && call.startsWith('set ') && when === 'before') throw DENIED
    }
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'VaultDenied' })
    expect(world.events()).toContain('held VaultDenied')
    expect(world.faults()).toContain('KeyMismatch')
    await world.advance()
    expect(world.issued()).toMatchObject({ status: 'False', reason: 'Torn' })
    expect(world.ready()).toMatchObject({ status: 'False', reason: 'Torn' })
    // The root can no longer sign either: nothing needs signing to put it back.
    world.failing({ sign: DENIED })
    world.pass(HOUR)
    await world.advance()
    expect(world.inVault()).toEqual(before)
    expect(world.rotation()).toMatchObject({ phase: 'failed', reason: 'VaultDenied' })
    expect(world.events().filter((event) => event === 'held VaultDenied')).toHaveLength(1)
  })

  it('is put back to what worked, not to what the second attempt found', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    await world.dieAt('set ca-key')
    world.pass(2 * MINUTE)
    world.giveBackOnce(before[3] ?? '')
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'ReadBackFailed' })
    expect(world.inVault()).toEqual(before)
    world.pass(MINUTE)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'Written' })
    expect(world.faults()).toEqual([])
  })
})

describe('a torn vault is put back', () => {
  it.each<[string, () => unknown]>([
    ['while it is paused', () => world.act('pause')],
    ['in a freeze', () => world.freeze()],
    ['while the cluster is only observed', () => world.observe('observe')],
    ['while the cluster is changed', () => world.changing()],
    ['out of its window', () => world.put({ windows: [{ cron: '0 12 * * 3', for: '5m' }] })],
  ])('%s, and nothing else is written', async (_, hold) => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    await world.dieAt('set ca-key')
    await hold()
    await world.advance()
    expect(world.faults(), 'the lease of who writes is not over').toContain('KeyMismatch')
    world.pass(2 * MINUTE)
    const { length } = world.sets()
    await world.advance()
    await world.live(2 * HOUR)
    expect(world.inVault()).toEqual(before)
    expect(world.sets().slice(length)).toEqual(['set ca-cert', 'set cert-chain', 'set root-cert'])
    expect(world.issued()).toMatchObject({ status: 'True', reason: 'Current' })
    expect(world.rotation()?.phase).toBe('switching')
  })

  it('by an abort, whose way leads on from there', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    await world.dieAt('set ca-key')
    expect((await world.act('abort')).ok).toBe(true)
    const { length } = world.sets()
    await world.advance()
    expect(world.sets().slice(length), 'the lease holds on the way back').toEqual([])
    world.pass(2 * MINUTE)
    await world.until()
    expect(world.rotation()).toMatchObject({ phase: 'aborted', reason: 'WentBack' })
    expect(world.inVault()).toEqual(before)
    expect(world.mesh.refusals).toBe(0)
  })

  it('though another hand wrote a part of it, whose word stays; then the rotation ends', async () => {
    await world.established()
    const [, , , key = ''] = world.inVault()
    const before = world.inVault()
    await world.rotate('intermediate')
    await world.dieAt('set ca-key')
    const version = world.vault.put('ca-key', key)
    world.pass(2 * MINUTE)
    await world.advance()
    expect(world.inVault()).toEqual(before)
    expect(world.vault.peek('ca-key')?.version).toBe(version)
    await world.live(HOUR)
    expect(world.document().history[0]).toMatchObject({ phase: 'failed', reason: 'ChangedElsewhere' })
    expect(world.faults()).toEqual([])
  })
})

describe('what is said of a vault that is torn', () => {
  it('it is torn for whoever looks when the time of who wrote is over', async () => {
    await world.established()
    await world.rotate('intermediate')
    await world.dieAt('set ca-key')
    const said = async () => {
      const seen = await observeCa(world.deps, world.document())
      return caConditions(world.document(), seen).find(({ type }) => type === 'Issued')?.reason
    }
    expect(await said()).toBe('Writing')
    world.pass(76_000)
    expect(await said()).toBe('Torn')
  })

  it('it is being written while somebody is at it, and torn after that', async () => {
    await world.established()
    await world.rotate('intermediate')
    await world.dieAt('set ca-key')
    await world.advance()
    expect(world.issued()).toMatchObject({ status: 'True', reason: 'Writing' })
    world.failing({ 'set ca-cert': THROTTLED })
    world.pass(2 * MINUTE)
    await world.advance()
    await world.advance()
    expect(world.rotation()?.askedUntil !== undefined).toBe(true)
    expect(world.issued()).toMatchObject({ status: 'False', reason: 'Torn' })
    expect(world.ready()).toMatchObject({ status: 'False', reason: 'Torn' })
    await world.act('pause')
    await world.advance()
    expect(world.issued()).toMatchObject({ status: 'False', reason: 'Torn' })
  })
})

describe('a first CA of which the vault takes a part', () => {
  it('is tried again until it is whole, and nobody is asked to put back what never was', async () => {
    await world.put()
    world.failing({ 'set ca-key': DENIED })
    await world.advance()
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'VaultDenied' })
    expect(world.events()).toContain('held VaultDenied')
    expect(world.issued()).toMatchObject({ status: 'False', reason: 'Torn' })
    expect(world.issued()?.message).toContain('there is nothing to put back')
    expect(world.issued()?.message).not.toContain('Put the former versions')
    // Nor does it end when the root may not sign on the second try.
    world.failing({ sign: DENIED })
    world.pass(HOUR)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'VaultDenied' })
    world.well()
    world.pass(HOUR)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'succeeded' })
    expect(world.faults()).toEqual([])
  })

  it('by another hand is to be made whole, or cleared away', async () => {
    world.vault.put('ca-cert', 'no certificate')
    await world.put()
    await world.advance()
    expect(world.issued()?.message).toContain('delete and purge what is there')
  })
})
