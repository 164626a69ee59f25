import { beforeEach, describe, expect, it } from 'vitest'
import { createTornWorld, DENIED, LOST } from './torn-world.ts'
import { HOUR, MINUTE } from './world.ts'

let world: ReturnType<typeof createTornWorld>
beforeEach(() => {
  world = createTornWorld()
})

describe('another hand that writes while the intermediate is made', () => {
  it('is not written over, and the rotation ends', async () => {
    await world.established()
    await world.rotate('intermediate')
    const [, , cert = ''] = world.inVault()
    let version = ''
    world.vault.interrupt = (call, when) => {
      if (call === 'sign' && when === 'after') version = world.vault.put('ca-cert', cert)
    }
    const { length } = world.sets()
    await world.advance()
    expect(world.sets().slice(length)).toEqual([])
    expect(world.vault.peek('ca-cert')?.version).toBe(version)
    world.well()
    await world.live(HOUR)
    expect(world.document().history[0]).toMatchObject({ phase: 'failed', reason: 'ChangedElsewhere' })
    expect(world.sets().slice(length)).toEqual([])
  })

  it('in mid-write, is not put back over, and what is ours is', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    let version = ''
    world.vault.interrupt = (call, when) => {
      if (call === 'set ca-key' && when === 'after') version ||= world.vault.put('ca-key', before[3] ?? '')
    }
    await world.advance()
    expect(world.vault.peek('ca-key')?.version).toBe(version)
    expect(world.inVault()).toEqual(before)
    await world.live(HOUR)
    expect(world.document().history[0]).toMatchObject({ phase: 'failed', reason: 'ChangedElsewhere' })
  })
})

describe('a vault that gives back something else', () => {
  it('gets the former values back in the same lease', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    world.giveBackOnce(before[3] ?? '')
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'ReadBackFailed' })
    expect(world.inVault()).toEqual(before)
    world.pass(MINUTE)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'Written' })
  })

  it('though it cannot be read after the write, keeps what it took', async () => {
    await world.established()
    await world.rotate('intermediate')
    let isWritten = false
    world.vault.interrupt = (call, when) => {
      if (call === 'set ca-key' && when === 'after') isWritten = true
      if (isWritten && call.startsWith('get ') && when === 'before') throw DENIED
    }
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'VaultDenied' })
    const written = world.inVault()
    world.well()
    world.pass(MINUTE)
    await world.advance()
    expect(world.rotation()).toMatchObject({ phase: 'switching', reason: 'Written' })
    expect(world.inVault()).toEqual(written)
  })
})

describe('the lease of a write', () => {
  it('lets no secret be written so late that it could not be put back, and puts back what is there', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    const { length } = world.sets()
    world.vault.interrupt = (call, when) => {
      if (call === 'set ca-cert' && when === 'after' && world.sets().length < length + 4) world.pass(31_000)
    }
    await world.advance()
    expect(world.sets().slice(length)).toEqual([
      'set root-cert',
      'set cert-chain',
      'set ca-cert',
      'set ca-cert',
      'set cert-chain',
      'set root-cert',
    ])
    expect(world.rotation()?.reason).toBe('LeaseOver')
    expect(world.inVault()).toEqual(before)
  })

  it('puts nothing back either when another may begin soon: the next look does', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    const { length } = world.sets()
    let isSlow = true
    world.vault.interrupt = (call, when) => {
      if (!isSlow || call !== 'set ca-cert' || when !== 'after') return
      isSlow = false
      world.pass(46_000)
    }
    await world.advance()
    expect(world.sets().slice(length)).toEqual(['set root-cert', 'set cert-chain', 'set ca-cert'])
    await world.act('pause')
    world.pass(MINUTE)
    await world.advance()
    expect(world.inVault()).toEqual(before)
  })

  it('holds on the way back: an abort in mid-write does not begin a second one beside it', async () => {
    await world.established()
    await world.rotate('intermediate')
    let during: readonly string[] | undefined
    world.vault.interrupt = async (call, when) => {
      if (during || call !== 'set ca-cert' || when !== 'before') return
      during = []
      await world.act('abort')
      const { length } = world.sets()
      await world.advance()
      during = world.sets().slice(length)
    }
    await world.advance()
    expect(during).toEqual([])
    await world.until()
    expect(world.rotation()).toMatchObject({ phase: 'aborted' })
    expect(world.faults()).toEqual([])
    expect(world.mesh.refusals).toBe(0)
  })

  it('asks for nothing while a request whose answer was lost may yet come through', async () => {
    await world.established()
    const before = world.inVault()
    await world.rotate('intermediate')
    let late: { readonly value: string; readonly tags: Readonly<Record<string, string>> } | undefined
    const { setSecret } = world.vault
    world.vault.setSecret = (name, value, meta) => {
      if (late || name !== 'ca-cert') return setSecret.call(world.vault, name, value, meta)
      late = { value, tags: meta.tags ?? {} }
      return Promise.reject(LOST)
    }
    await world.advance()
    expect(world.inVault()).toEqual(before)
    const { length } = world.sets()
    world.pass(19_000)
    await world.advance()
    expect(world.sets().slice(length)).toEqual([])
    world.vault.put('ca-cert', late?.value ?? '', { tags: late?.tags ?? {} })
    expect(world.faults()).not.toEqual([])
    await world.act('pause')
    world.pass(2000)
    await world.advance()
    expect(world.inVault()).toEqual(before)
    expect(world.faults()).toEqual([])
  })
})
